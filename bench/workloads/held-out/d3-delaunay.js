import { Delaunay } from 'd3-delaunay'

export default ({ points }) => {
  const delaunay = Delaunay.from(points)
  const voronoi = delaunay.voronoi([0, 0, 1000, 1000])
  const areas = []
  for (const cell of voronoi.cellPolygons()) {
    let area = 0
    for (let i = 1; i < cell.length; i++) area += cell[i - 1][0] * cell[i][1] - cell[i][0] * cell[i - 1][1]
    areas.push(Math.round(area))
  }
  return [delaunay.triangles.length, [...delaunay.hull], areas, delaunay.find(500, 500)]
}
