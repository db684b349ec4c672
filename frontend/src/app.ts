// What the pages do in the browser beyond plain HTML. Each module looks for its own data attributes.

import "./htmx-setup";
import { watchBell } from "./bell";
import { celebrateFlags } from "./celebrate";
import { offerCopies } from "./copy";
import { keepPlaces } from "./focus";
import { listenForKeys } from "./keys";
import { startLive } from "./live";
import { closeMenus } from "./menus";
import { localiseMoments } from "./moments";
import { keepNewest } from "./refresh";
import { repeatRows } from "./rows";
import { sayChanges } from "./status";
import { showOpenTabs } from "./tabs";
import { keepTimes } from "./time";
import { expireToasts } from "./toasts";

document.documentElement.classList.add("scripted");

offerCopies();
listenForKeys();
closeMenus();
keepPlaces();
keepNewest();
repeatRows();
keepTimes();
localiseMoments();
showOpenTabs();
sayChanges();
expireToasts();
celebrateFlags();
watchBell();
startLive();
