// Keys: "/" to search, "f" for a flag, "g" and a letter to go somewhere, "?" for the list of them.

import { showDialog } from "./menus";

const PATIENCE = 1200;
let going = 0;

export function listenForKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return;
    if (act(event.key)) event.preventDefault();
  });
}

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("input:not([type=checkbox], [type=radio]), textarea, select, dialog *");
}

function act(key: string): boolean {
  if (going > Date.now()) {
    going = 0;
    const link = document.querySelector<HTMLAnchorElement>(`a[data-go="${CSS.escape(key)}"]`);
    link?.click();
    return link !== null;
  }
  if (key === "g") {
    going = Date.now() + PATIENCE;
    return true;
  }
  if (key === "?") showDialog("keys");
  else if (key === "/") return focus("main input[type=search]");
  else if (key === "f") return focus("#flag-input");
  else return false;
  return true;
}

function focus(selector: string): boolean {
  const field = document.querySelector<HTMLInputElement>(selector);
  field?.focus();
  field?.select();
  return field !== null;
}
