// Short messages at the edge of the page. They leave by themselves, but not while somebody reads or points at them.

const STAY = 7000;

function region(): HTMLElement | null {
  return document.getElementById("toasts");
}

/** Shows the message that the page keeps in a template named `toast-NAME`; `fill` puts the particulars in. */
export function toast(name: string, fill?: (card: HTMLElement) => void): void {
  const template = document.getElementById(`toast-${name}`);
  const card = template instanceof HTMLTemplateElement ? template.content.firstElementChild?.cloneNode(true) : null;
  if (!(card instanceof HTMLElement)) return;
  fill?.(card);
  region()?.append(card);
}

function dismiss(card: HTMLElement): void {
  card.classList.add("is-leaving");
  window.setTimeout(() => card.remove(), 200);
}

function schedule(card: HTMLElement): void {
  window.setTimeout(() => {
    if (card.matches(":hover, :focus-within")) schedule(card);
    else dismiss(card);
  }, STAY);
}

export function expireToasts(): void {
  const box = region();
  if (!box) return;
  const added = (node: Node) => {
    if (node instanceof HTMLElement && node.matches(".toast-card")) schedule(node);
  };
  box.childNodes.forEach(added);
  new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(added))).observe(box, {
    childList: true,
  });
  document.addEventListener("click", (event) => {
    const card = (event.target as Element).closest("[data-dismiss]")?.closest<HTMLElement>(".toast-card");
    if (card) dismiss(card);
  });
}
