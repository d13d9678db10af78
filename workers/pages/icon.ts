/** A target, hit: in the tab of a browser, and beside the name. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#12352f"/><circle cx="16" cy="16" r="9" fill="none" stroke="#f4f1e8" stroke-width="3"/><circle cx="16" cy="16" r="3.6" fill="#f2a33a"/></svg>
`
