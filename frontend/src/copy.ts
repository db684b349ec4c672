// Copy buttons: `data-copy` holds what they copy.

import { say } from "./status";

const SHOWN = 1600;

export function offerCopies(): void {
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-copy]");
    if (button) void copy(button);
  });
}

async function copy(button: HTMLElement): Promise<void> {
  const text = button.dataset.copy ?? "";
  const done = navigator.clipboard ? await navigator.clipboard.writeText(text).then(() => true, () => false) : copyOldWay(text);
  if (!done) return;
  const idle = button.querySelector(".idle");
  const confirmed = button.querySelector(".done");
  idle?.setAttribute("hidden", "");
  confirmed?.removeAttribute("hidden");
  say(button.dataset.copied ?? "");
  window.setTimeout(() => {
    idle?.removeAttribute("hidden");
    confirmed?.setAttribute("hidden", "");
    say("");
  }, SHOWN);
}

/** Over plain http browsers have no clipboard API; a selection in a hidden field still copies. */
function copyOldWay(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
