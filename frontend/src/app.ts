// What the pages do in the browser beyond plain HTML. Each module looks for its own data attributes.

import "./htmx-setup";
import { watchBell } from "./bell";
import { celebrateFlags } from "./celebrate";
import { offerCopies } from "./copy";
import { listenForKeys } from "./keys";
import { startLive } from "./live";
import { closeMenus } from "./menus";
import { repeatRows } from "./rows";
import { showOpenTabs } from "./tabs";
import { keepTimes } from "./time";
import { expireToasts } from "./toasts";

document.documentElement.classList.add("scripted");

offerCopies();
listenForKeys();
closeMenus();
repeatRows();
keepTimes();
showOpenTabs();
expireToasts();
celebrateFlags();
watchBell();
startLive();
