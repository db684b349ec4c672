// Times: written in the reader's own zone, and clocks that count down. The server sends UTC and its own time.

const language = document.documentElement.lang;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const full = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" });
const shapes: Record<string, Intl.DateTimeFormat> = {
  date: new Intl.DateTimeFormat(language, { dateStyle: "medium" }),
  time: new Intl.DateTimeFormat(language, { timeStyle: "short" }),
  moment: new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }),
};
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/** How many milliseconds this machine's clock is behind the server's: a clock that is wrong shows the right time left. */
const behind = (() => {
  const told = Number(document.body.dataset.now);
  return told ? told - Date.now() : 0;
})();

const now = () => Date.now() + behind;

export function keepTimes(): void {
  refresh(document);
  document.addEventListener("htmx:load", (event) => refresh(event.target as Element));
  window.setInterval(tick, 1000);
}

function refresh(root: ParentNode): void {
  const times = [...root.querySelectorAll("time")];
  if (root instanceof HTMLTimeElement) times.push(root);
  times.forEach(write);
  tick();
}

function write(element: HTMLTimeElement): void {
  const moment = new Date(element.dateTime);
  const shape = element.dataset.shape;
  if (Number.isNaN(moment.getTime()) || !shape) return;
  element.title = `${full.format(moment)} (${zone})`;
  const text = shape === "ago" ? ago(moment) : (shapes[shape] ?? full).format(moment);
  if (element.textContent !== text) element.textContent = text;
}

function ago(moment: Date): string {
  const seconds = Math.round((moment.getTime() - now()) / 1000);
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return relative.format(Math.trunc(seconds / size), unit);
}

let ticks = 0;

function tick(): void {
  if (ticks++ % 20 === 0) document.querySelectorAll<HTMLTimeElement>('time[data-shape="ago"]').forEach(write);
  document.querySelectorAll<HTMLElement>("[data-until]").forEach(countDown);
  document.querySelectorAll<HTMLElement>("[data-since]").forEach(countUp);
}

function countDown(element: HTMLElement): void {
  const left = Math.max(0, Math.round((Date.parse(element.dataset.until ?? "") - now()) / 1000));
  element.textContent = clock(left);
  const ring = element.closest(".ring");
  const total = Number(element.dataset.total);
  if (!ring || !total) return;
  ring.classList.toggle("is-low", left < 300);
  ring.querySelector(".left")?.setAttribute("stroke-dashoffset", String(100 - Math.min(100, (100 * left) / total)));
}

function countUp(element: HTMLElement): void {
  element.textContent = clock(Math.max(0, Math.round((now() - Date.parse(element.dataset.since ?? "")) / 1000)));
}

function clock(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}
