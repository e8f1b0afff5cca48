// What makes the pages live. Each of them works without it.
//
// The server says that something has changed; the page then asks for itself anew and is morphed in place. What
// somebody is using at that moment stays as it is: an open dialog or menu, a field, a row under the pointer or with the
// focus, a selection. The marks are in the pages: `data-follow` is a part that follows, `data-row` is a row.
(() => {
  "use strict";
  let morph;
  let paused = false;
  let due = false;
  let asking = false;
  let source;

  // The part of a page that somebody is using, if it is inside `node`.
  const inUse = (node) => {
    if (!(node instanceof Element)) return false;
    if (node.matches("form[data-touched], dialog[open], details[open]:not([data-calm])")) return true;
    if (!node.matches("[data-row], form")) return false;
    const active = document.activeElement;
    if (active && active !== document.body && node.contains(active)) return true;
    const selection = document.getSelection();
    if (selection && !selection.isCollapsed && selection.containsNode(node, true)) return true;
    return node.matches("[data-row]:hover") && matchMedia("(hover: hover)").matches;
  };

  const usedRows = (part) => [...part.querySelectorAll("[data-row]")].filter(inUse);

  htmx.registerExtension("keepfresh", {
    init: (api) => { morph = api.morph; },
    htmx_before_morph_node: (_, detail) => !inUse(detail.oldNode),
    // What somebody has opened stays open, and what was folded stays folded.
    htmx_before_morph_attr: (node, detail) => !(detail.attrName === "open" && node.matches("details, dialog")),
  });

  const alarm = () => {
    const need = document.querySelector("[data-need]")?.dataset.need;
    if (need === undefined) return;
    const icon = document.querySelector("link[rel=icon]");
    const name = need === "0" ? "calm" : "alarm";
    if (icon && !icon.href.includes(name)) icon.href = icon.href.replace(/calm|alarm/, name);
    const bare = document.title.replace(/^\(\d+\) /, "");
    document.title = need === "0" ? bare : `(${need}) ${bare}`;
  };

  const take = (part, text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById(part.id);
    if (!fresh || fresh.isEqualNode(part)) return;
    // A row in use that would go stays until it is left.
    if (usedRows(part).some((row) => !fresh.querySelector("#" + CSS.escape(row.id)))) {
      due = true;
      return;
    }
    const fragment = document.createDocumentFragment();
    fragment.append(fresh);
    morph(part, fragment, false);
  };

  const renew = async () => {
    if (paused || asking || document.hidden) { due = true; return; }
    due = false;
    asking = true;
    try {
      for (const part of document.querySelectorAll("[data-follow]")) {
        const answer = await fetch(part.dataset.follow || location.href, { headers: { "x-part": "1" } });
        if (answer.redirected && new URL(answer.url).pathname.endsWith("/login")) { location.reload(); return; }
        if (answer.ok) take(part, await answer.text());
      }
      alarm();
    } catch {
      due = true;
    } finally {
      asking = false;
    }
  };

  const badge = document.getElementById("live");
  const show = (state) => {
    if (!badge) return;
    badge.hidden = false;
    badge.dataset.state = state;
    badge.textContent = badge.dataset[state + "Text"];
    badge.setAttribute("aria-pressed", String(state === "paused"));
  };

  const follow = () => {
    const place = document.body.dataset.live;
    if (!place) return;
    source?.close();
    source = new EventSource(place);
    source.addEventListener("open", () => { show(paused ? "paused" : "live"); renew(); });
    source.addEventListener("changed", renew);
    source.addEventListener("error", () => show("away"));
  };

  badge?.addEventListener("click", () => {
    paused = !paused;
    show(paused ? "paused" : "live");
    if (!paused) renew();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { source?.close(); source = undefined; } else if (!source) { follow(); }
  });
  document.addEventListener("input", (event) => { event.target.form?.setAttribute("data-touched", ""); });
  document.addEventListener("focusout", () => setTimeout(() => { if (due) renew(); }, 100));
  // What was put off because of a pointer, and moments that pass while nothing happens.
  setInterval(() => { if (due) renew(); }, 2000);
  setInterval(renew, 30000);

  // A form that changes something is sent once, and without leaving the page where it stands.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (event.target.method === "post" && button) setTimeout(() => { button.disabled = true; }, 0);
  });
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button:disabled")) button.disabled = false;
  });

  // A login elsewhere is asked about by itself.
  for (const form of document.querySelectorAll("form[data-poll]")) {
    setTimeout(() => form.requestSubmit(), Math.max(1, Number(form.dataset.poll)) * 1000);
  }

  // Copies what a read-only field has, for those without a pointer as well.
  document.addEventListener("click", (event) => {
    const from = event.target.closest?.("[data-copy]")?.dataset.copy;
    const field = from && document.getElementById(from);
    if (field) navigator.clipboard?.writeText(field.value ?? field.textContent);
  });

  // Keys, as the help says; none while somebody types.
  let before = "";
  const places = { o: "/", a: "/attempts", s: "/schedules", p: "/plugins", y: "/system" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, select")) return;
    const brand = document.querySelector(".brand");
    if (event.key === "/") {
      const search = document.querySelector("input[type=search]");
      if (search) { event.preventDefault(); search.focus(); }
    } else if (before === "g" && places[event.key] && brand) {
      location.href = brand.getAttribute("href").replace(/\/$/, "") + places[event.key];
    } else if (event.key === "j" || event.key === "k") {
      const links = [...document.querySelectorAll("[data-row] a[data-main]")];
      const next = links.indexOf(document.activeElement) + (event.key === "j" ? 1 : -1);
      links[Math.max(0, Math.min(next, links.length - 1))]?.focus();
    }
    before = event.key;
  });

  document.addEventListener("DOMContentLoaded", () => { follow(); alarm(); });
})();
