// What a page gains where scripts run: it follows what happens without losing place or focus, counts deadlines
// down, and copies long numbers. Everything can be read without it.
"use strict";
(() => {
  const pollEvery = 1500, readAnew = 30000; // ms; the second also finds what no record tells
  const quiet = matchMedia("(prefers-reduced-motion: reduce)");
  const live = document.getElementById("live"), news = document.getElementById("news");
  let shown = document.body.dataset.revision, loaded = Date.now(), read = Date.now(), failures = 0;

  // ---- copying
  function addCopyButtons(root) {
    for (const hash of root.querySelectorAll(".hash")) {
      if (hash.closest("summary, .finding-title") || hash.querySelector(".copy")) continue;
      const b = document.createElement("button");
      b.type = "button";
      b.className = "copy";
      b.setAttribute("aria-label", "Copy " + hash.textContent.slice(0, 8) + "…");
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("class", "i");
      svg.setAttribute("aria-hidden", "true");
      const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
      use.setAttribute("href", "#i-copy");
      svg.append(use);
      b.append(svg);
      hash.append(b);
    }
  }
  document.addEventListener("click", async (e) => {
    const b = e.target.closest && e.target.closest(".copy");
    if (!b) return;
    e.preventDefault();
    const text = b.parentElement.querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
      b.classList.add("done");
      say("Copied");
      setTimeout(() => b.classList.remove("done"), 1500);
    } catch {
      getSelection().selectAllChildren(b.parentElement.querySelector("code"));
      say("Selected; copy it with your keyboard");
    }
  });

  // ---- time
  function words(seconds) {
    const s = Math.abs(seconds), d = Math.floor(s / 86400), h = Math.floor(s / 3600) % 24, m = Math.floor(s / 60) % 60;
    const text = d ? `${d} d ${h} h` : h ? `${h} h ${m} min` : m ? `${m} min` : `${Math.floor(s)} s`;
    return seconds >= 0 ? "in " + text : text + " ago";
  }
  function tick() {
    for (const t of document.querySelectorAll("time[data-seconds]")) {
      const text = words(Number(t.dataset.seconds) - Math.floor((Date.now() - loaded) / 1000));
      if (t.textContent !== text) t.textContent = text;
    }
  }

  // ---- taking over what is new: nodes that stay are kept, and with them focus, scroll place and what is open
  const keyOf = (n) => n.nodeType === 1 ? n.dataset.key || n.id || "" : "";
  const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);
  function attributes(from, to) {
    for (const { name } of [...to.attributes]) {
      if (!from.hasAttribute(name) && !(name === "open" && to.nodeName === "DETAILS")) to.removeAttribute(name);
    }
    for (const { name, value } of from.attributes) {
      if (name === "open" && to.nodeName === "DETAILS") continue;
      if (to.getAttribute(name) !== value) to.setAttribute(name, value);
    }
  }
  function take(from, to) {
    if (to.nodeType !== 1) {
      if (to.nodeValue !== from.nodeValue) to.nodeValue = from.nodeValue;
      return;
    }
    if (to.isEqualNode(from)) return;
    attributes(from, to);
    let at = to.firstChild;
    for (const next of [...from.childNodes]) {
      let hit = at;
      if (!at || !same(at, next)) {
        hit = null;
        for (let n = at; n; n = n.nextSibling) if (same(n, next)) { hit = n; break; }
      }
      if (!hit) {
        const fresh = document.importNode(next, true);
        to.insertBefore(fresh, at);
        if (fresh.nodeType === 1 && fresh.matches("[data-said], .timeline li")) mark(fresh);
        continue;
      }
      if (hit === at) at = at.nextSibling;
      else {
        const holder = document.activeElement;
        const inside = hit.contains(holder);
        to.insertBefore(hit, at);
        if (inside && document.activeElement !== holder) holder.focus({ preventScroll: true });
      }
      take(next, hit);
    }
    while (at) { const next = at.nextSibling; at.remove(); at = next; }
  }
  function mark(node) {
    if (quiet.matches) return;
    node.classList.add("changed");
    setTimeout(() => node.classList.remove("changed"), 2100);
  }
  function say(text) { news.textContent = ""; setTimeout(() => { news.textContent = text; }, 50); }
  const told = () => new Map([...document.querySelectorAll("[data-said]")].map((n) => [n.dataset.key || "page", n.dataset.said]));

  async function refresh() {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin", cache: "no-store" });
    if (answer.status === 401) { location.reload(); return; }
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    addCopyButtons(page);
    const before = told();
    for (const part of ["banners", "main", "foot"]) {
      const from = page.getElementById(part), to = document.getElementById(part);
      if (from && to) take(from, to);
    }
    document.title = page.title;
    shown = page.body.dataset.revision;
    loaded = read = Date.now();
    tick();
    const changes = [];
    for (const node of document.querySelectorAll("[data-said]")) {
      const key = node.dataset.key || "page";
      if (before.get(key) === node.dataset.said) continue;
      changes.push(node.dataset.said);
      if (node.matches(".row")) mark(node);
    }
    if (changes.length) say(changes.length > 3 ? changes.length + " proposals changed" : changes.join(". "));
  }
  async function poll() {
    try {
      if (!document.hidden) {
        const answer = await fetch("/live", { credentials: "same-origin", cache: "no-store" });
        if (answer.status === 401) { location.reload(); return; }
        if (!answer.ok) throw new Error(answer.status);
        const { revision } = await answer.json();
        if (revision !== shown || Date.now() - read > readAnew) await refresh();
        failures = 0;
        if (live.className !== "live on") { live.className = "live on"; live.textContent = "live"; }
      }
    } catch {
      if (++failures === 2) {
        live.className = "live off";
        live.textContent = "no answer since " + new Date(read).toLocaleTimeString();
        say("Legate does not answer; what is shown may be old");
      }
    }
    setTimeout(poll, Math.min(pollEvery * 2 ** Math.max(0, Math.min(failures - 2, 4)), 20000));
  }

  // ---- login: the token goes into a header, never into an address
  const form = document.getElementById("login");
  if (form) {
    fetch("/live", { credentials: "same-origin" }).then((a) => { // a link from elsewhere came without our cookie: it is there now
      if (a.ok) location.replace(location.pathname === "/login" ? "/" : location.href);
    }, () => {});
    form.addEventListener("submit", async (e) => {
      e.preventDefault();
      const says = document.getElementById("login-says"), field = document.getElementById("token");
      says.textContent = "";
      let answer;
      try {
        answer = await fetch("/login", { headers: { Authorization: "Bearer " + field.value.trim() }, credentials: "same-origin" });
      } catch {
        says.textContent = "Legate does not answer, or the token has signs that no token has.";
        return;
      }
      if (answer.status === 204) { location.replace(location.pathname === "/login" ? "/" : location.href); return; }
      says.textContent = answer.status === 429 ? "Too many wrong tokens. Wait a few seconds." : "That is not the token.";
      field.select();
    });
    return;
  }

  addCopyButtons(document);
  tick();
  setInterval(tick, 5000);
  // a link to a call opens what it lies in
  function reveal() {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const inner = target.querySelector(":scope > details");
    if (inner) inner.open = true;
    for (let d = target.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
    target.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  reveal();
  if (shown) {
    document.addEventListener("visibilitychange", () => { if (!document.hidden && Date.now() - read > pollEvery) refresh().catch(() => {}); });
    poll();
  }
})();
