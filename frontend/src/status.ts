// What changes by itself is told to those who do not see it: a page's `data-say` holds the words.

let told = words();

export function say(text: string): void {
  const status = document.getElementById("status");
  if (status) status.textContent = text;
}

export function sayChanges(): void {
  document.addEventListener("htmx:load", () => {
    const now = words();
    if (now && now !== told) say(now);
    told = now;
  });
}

function words(): string {
  return document.querySelector("[data-say]")?.textContent?.trim() ?? "";
}
