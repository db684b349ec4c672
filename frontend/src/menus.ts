// Menus and questions are <details>, which work without us; we close them as people expect.

export function closeMenus(): void {
  document.addEventListener("focusin", leave);
  document.addEventListener("click", (event) => {
    leave(event);
    const opener = (event.target as Element).closest<HTMLElement>("[data-dialog]");
    if (opener) showDialog(opener.dataset.dialog ?? "");
    const cancel = (event.target as Element).closest("[data-cancel]");
    if (cancel) close(cancel.closest("details"));
    if ((event.target as Element).closest("[data-close]")) (event.target as Element).closest("dialog")?.close();
    if (event.target instanceof HTMLDialogElement) event.target.close();
  });
  document.addEventListener("close", (event) => forget(event.target as Element), true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const inner = (event.target as Element).closest?.<HTMLDetailsElement>("details.menu[open], details.confirm[open]");
    if (inner) close(inner);
    else openMenus().forEach((menu) => (menu.open = false));
  });
}

export function showDialog(id: string): void {
  const dialog = document.getElementById(id);
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
}

/** A secret is in the page for as long as its dialog is open; `data-secret` holds the words that stand in its place. */
function forget(dialog: Element): void {
  for (const secret of dialog.querySelectorAll<HTMLElement>("[data-secret]")) {
    const words = document.createElement("p");
    words.className = "quiet notice";
    words.textContent = secret.dataset.secret ?? "";
    secret.replaceChildren(words);
  }
}

function leave(event: Event): void {
  for (const menu of openMenus()) if (!menu.contains(event.target as Node)) menu.open = false;
}

function openMenus(): HTMLDetailsElement[] {
  return [...document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")];
}

function close(details: HTMLDetailsElement | null): void {
  if (!details) return;
  details.open = false;
  details.querySelector("summary")?.focus();
}
