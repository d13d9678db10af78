// A line on a terminal that is drawn over; where there is no terminal, a line for each tenth of the way.
const cells = 30

export type Progress = { label: string; done: number; total: number; unit: string }

export function createProgressBar(stream: NodeJS.WriteStream) {
  let lastTenth = -1
  let isDrawn = false
  return {
    show({ label, done, total, unit }: Progress): void {
      const part = total === 0 ? 0 : done / total
      const text = `${label.padEnd(8)} ${done} of ${total} ${unit}`
      if (stream.isTTY) {
        const full = Math.round(part * cells)
        stream.write(`\r\u001b[2K${'█'.repeat(full)}${'░'.repeat(cells - full)} ${text}`)
        isDrawn = true
      } else if (Math.floor(part * 10) > lastTenth) {
        stream.write(`${text}\n`)
        lastTenth = Math.floor(part * 10)
      }
    },
    end(): void {
      if (isDrawn) stream.write('\n')
    },
  }
}
