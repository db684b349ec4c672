// A row of tabs that is wider than the screen shows the one that is open.

export function showOpenTabs(): void {
  show(document);
  document.addEventListener("htmx:load", (event) => show(event.target as Element));
}

function show(root: ParentNode): void {
  for (const tab of root.querySelectorAll<HTMLElement>(".tabs [aria-current]")) {
    const row = tab.closest<HTMLElement>(".tabs");
    if (row) row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.clientWidth) / 2;
  }
}
