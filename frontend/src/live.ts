// What happens on the server, told to all tabs of this browser through one stream.
//
// The tabs elect a leader by a lock that its holder keeps until it goes. The leader opens the stream with htmx's SSE
// extension, which connects again when it breaks, and passes every event on to the other tabs. Each tab hands them to
// its page as `live:NAME` on the document, where fragments wait for them with `hx-trigger`.

import htmx from "htmx.org";

const NAMES = ["session", "solve", "standings", "notice", "boxes", "submission", "provider", "desk", "vpn", "gates", "accounts", "resync"];
/** What all browsers are told at once is looked at within this many milliseconds, so that they do not ask at once. */
const SPREAD = 1500;
const TOLD_TO_ALL = new Set(["standings", "boxes", "vpn", "resync"]);
/** Milliseconds that a stream may be away before the page says so. */
const GRACE = 8000;

/** The SSE extension makes its streams with this, and lets us make them. */
type WithStreams = typeof htmx & { createEventSource: (address: string) => EventSource };

interface Message {
  name: string;
  data: unknown;
}

/** The flags that were found while this page was open: of each we hear twice, from the stream and from its form. */
const found = new Set<unknown>();

const waiting = new Map<string, number>();
let offline = 0;

export function startLive(): void {
  const { live, account, heard } = document.body.dataset;
  // A right flag says so in the answer to its form, too: the stream may be away.
  document.addEventListener("flagfound", (event) => {
    (event.target as Element).closest("form")?.reset();
    announce({ name: "solve", data: (event as CustomEvent<{ flag: number }>).detail });
  });
  if (!live) return;
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) announce({ name: "resync", data: {} });
  });
  if (!("locks" in navigator) || !("BroadcastChannel" in window)) {
    listen(live, heard, hear, false);
    return;
  }
  const name = `chatsubo:${live}:${account ?? ""}`;
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event: MessageEvent<Message>) => hear(event.data);
  const lead = (follows: boolean) => {
    let told = 0;
    const tell = (message: Message) => {
      told = Date.now();
      channel.postMessage(message);
      hear(message);
    };
    // A page that was on its way when others were told something may have been made before it, and opened after it.
    channel.onmessage = (event: MessageEvent<Message>) => {
      if (event.data.name === "joined" && told > (event.data.data as number)) {
        channel.postMessage({ name: "resync", data: {} });
      }
    };
    listen(live, heard, tell, follows);
    return new Promise(() => undefined); // leads until the tab is gone
  };
  void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
    if (lock) return lead(false);
    channel.postMessage({ name: "joined", data: performance.timeOrigin });
    void navigator.locks.request(name, () => lead(true));
    return undefined;
  });
}

/**
 * Opens the stream. A stream that comes back, or that follows another tab's, may have missed something: then everything
 * is looked at again. The server is told what the page knows, and says so where it has missed something before.
 */
function listen(url: string, heard: string | undefined, tell: (message: Message) => void, follows: boolean): void {
  let opened = follows;
  (htmx as WithStreams).createEventSource = (address) => {
    const source = new EventSource(address);
    for (const name of NAMES) {
      source.addEventListener(name, (event) => tell({ name, data: parse((event as MessageEvent<string>).data) }));
    }
    source.addEventListener("open", () => {
      tell({ name: "online", data: {} });
      if (opened) tell({ name: "resync", data: {} });
      opened = true;
    });
    source.addEventListener("error", () => {
      tell({ name: "offline", data: {} });
      // An answer that is no stream: the login may have ended, which the answer to any other request tells.
      if (source.readyState === EventSource.CLOSED) tell({ name: "refused", data: {} });
    });
    return source;
  };
  const stream = document.createElement("div");
  stream.hidden = true;
  stream.setAttribute("hx-ext", "sse");
  stream.setAttribute("sse-connect", heard ? `${url}?since=${heard}` : url);
  document.body.append(stream);
  htmx.process(stream);
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return {};
  }
}

function hear(message: Message): void {
  if (message.name === "joined") return; // a matter between another page and the one that leads
  if (message.name === "online" || message.name === "offline") showConnection(message.name === "online");
  else if (TOLD_TO_ALL.has(message.name)) soon(message);
  else announce(message);
}

function soon(message: Message): void {
  if (waiting.has(message.name)) return;
  const timer = window.setTimeout(() => {
    waiting.delete(message.name);
    announce(message);
  }, Math.random() * SPREAD);
  waiting.set(message.name, timer);
}

function announce({ name, data }: Message): void {
  if (name === "solve") {
    const { flag } = data as { flag: number };
    if (found.has(flag)) return;
    found.add(flag);
  }
  document.dispatchEvent(new CustomEvent(`live:${name}`, { detail: data }));
}

function showConnection(online: boolean): void {
  document.documentElement.dataset.stream = online ? "open" : "broken";
  const bar = document.getElementById("offline");
  window.clearTimeout(offline);
  if (!bar) return;
  if (online) bar.hidden = true;
  else offline = window.setTimeout(() => (bar.hidden = false), GRACE);
}
