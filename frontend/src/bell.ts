// The bell: which notices are new to this browser, and a toast for those that arrive while one looks.

import { toast } from "./toasts";

const SEEN = `chatsubo-notices-seen:${document.body.dataset.account ?? ""}`;
/** The newest notice that this page knows of; nothing until the bell's content has come for the first time. */
let told: number | null = null;

export function watchBell(): void {
  document.addEventListener("toggle", (event) => {
    if ((event.target as Element).matches?.("#bell[open]")) markSeen();
  }, true);
  document.addEventListener("htmx:load", (event) => {
    if ((event.target as Element).closest("#bell-content")) arrived();
  });
}

function items(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>("#bell-content [data-notice]")];
}

function id(item: HTMLElement): number {
  return Number(item.dataset.notice);
}

function latest(): number {
  return Math.max(0, ...items().map(id));
}

function seen(): number {
  try {
    return Number(localStorage.getItem(SEEN) ?? "0");
  } catch {
    return 0; // a browser that keeps nothing
  }
}

function markSeen(): void {
  try {
    localStorage.setItem(SEEN, String(latest()));
  } catch {
    // It keeps nothing: the next page counts them again.
  }
  count();
}

function count(): void {
  const fresh = items().filter((item) => id(item) > seen()).length;
  const mark = document.getElementById("unread");
  if (!mark) return;
  mark.textContent = fresh > 9 ? "9+" : String(fresh);
  mark.hidden = fresh === 0;
}

function arrived(): void {
  const known = told ?? latest();
  for (const item of items().filter((one) => id(one) > known).reverse()) {
    toast("notice", (card) => {
      card.classList.add(`is-${item.dataset.kind ?? "info"}`);
      card.querySelector("div")?.replaceChildren(...[...item.querySelectorAll("p")].map((part) => part.cloneNode(true)));
    });
  }
  told = Math.max(known, latest());
  if (document.querySelector("#bell[open]")) markSeen();
  else count();
}
