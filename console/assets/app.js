// Owns the start and the shell: who is signed in, the top bar, and the page of the route.
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "./ui/html.js";
import { Icon, Mark } from "./ui/icons.js";
import { Button } from "./ui/controls.js";
import { Boundary } from "./ui/boundary.js";
import { useHeadingFocus, useNearFocus } from "./ui/focus.js";
import { Popover } from "./ui/menu.js";
import { EmptyState, ErrorState, Loading } from "./ui/states.js";
import { ShortcutsDialog, useShortcuts } from "./ui/keys.js";
import { setTitle, TitleAnnouncer } from "./ui/title.js";
import { Toasts } from "./ui/toast.js";
import { HOME, href, useLinksBeside, useRoute } from "./router.js";
import { resumeSession, signOut, useSession } from "./session.js";
import { mayOpen, SECTIONS } from "./settings/access.js";
import SignIn from "./pages/sign-in.js";

function App() {
  const session = useSession();
  const { route } = useRoute();
  if (session.state === "starting") return html`<main class="main"><${Loading} rows=${3} label="Starting" /></main>`;
  if (session.state === "unreachable") {
    return html`<main class="main"><${ErrorState} error=${session.error} onRetry=${resumeSession}
      actions=${html`<${Button} onClick=${() => signOut()}>Sign out<//>`} /></main>`;
  }
  if (session.state === "signed-out" && route?.open) return html`<${OpenShell} />`;
  if (session.state === "signed-out") return html`<${SignIn} notice=${session.notice} endSessionUrl=${session.endSessionUrl} />`;
  return html`<${Shell} session=${session} />`;
}

function Shell({ session }) {
  const location = useRoute();
  // The parts of Settings are one page, each run is another.
  const page = `${location.route?.path} ${location.params.runId ?? ""}`;
  const [help, setHelp] = useState(false);
  useShortcuts({ "?": () => setHelp(true) });
  const main = useRef(null);
  const skip = (event) => {
    event.preventDefault(); // The hash is the router's.
    main.current.focus();
  };
  useEffect(() => {
    setTitle(location.route?.title ?? "");
  }, [page]);
  useHeadingFocus(main, page);
  useNearFocus();
  useLinksBeside();
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <${TopBar} session=${session} path=${location.path} onHelp=${() => setHelp(true)} />
    <main class="main" id="main" tabindex="-1" ref=${main}><${Boundary} key=${page}>${session.caller.permissions.length === 0
      ? html`<${NoRole} caller=${session.caller} />` : html`<${RoutedPage} ...${location} session=${session} />`}<//></main>
    ${help && html`<${ShortcutsDialog} page=${location.route?.path} onClose=${() => setHelp(false)} />`}
    <${Toasts} /><${TitleAnnouncer} />`;
}

/** Around a page that anybody may read. */
function OpenShell() {
  const location = useRoute();
  useEffect(() => {
    setTitle(location.route?.title ?? "");
  }, [location.route]);
  return html`<header class="top"><a class="brand" href=${href(HOME)} aria-label="Flowtrail"><${Mark} /><span class="brand-name">Flowtrail</span></a>
      <div class="top-end"><a class="button button-plain" href=${href(HOME)}>Sign in</a></div></header>
    <main class="main" id="main" tabindex="-1"><${Boundary}><${RoutedPage} ...${location} session=${null} /><//></main>
    <${Toasts} /><${TitleAnnouncer} />`;
}

function TopBar({ session, path, onHelp }) {
  const links = [["/runs", "Runs"], ["/statistics", "Statistics"]];
  if (SECTIONS.some((section) => mayOpen(section, session))) links.push(["/settings", "Settings"]);
  const { teamId, principal } = session.caller;
  return html`<header class="top"><a class="brand" href=${href(HOME)} aria-label="Flowtrail, all runs"><${Mark} /><span class="brand-name">Flowtrail</span></a>
    <nav class="top-nav" aria-label="Main">${links.map(([to, label]) => html`
      <a key=${to} href=${href(to)} aria-current=${path === to ? "page" : path.startsWith(`${to}/`) ? "true" : null}>${label}</a>`)}</nav>
    <div class="top-end"><${Button} kind="quiet" icon="keyboard" label="Keyboard shortcuts" class="wide-only" onClick=${onHelp} />
      <${Popover} label=${`Account: team ${teamId}, ${principal}`} buttonClass="account" panelClass="account-panel"
        button=${html`<${Icon} name="user" /><bdi class="account-team">${teamId}</bdi><${Icon} name="down" />`}>
        ${() => html`<dl class="facts"><dt>Team</dt><dd><bdi>${teamId}</bdi></dd><dt>Signed in as</dt><dd><bdi class="mono">${principal}</bdi></dd>
          ${session.caller.flows && html`<dt>Limited to</dt><dd><bdi>${session.caller.flows.join(", ")}</bdi></dd>`}</dl>
          <div class="account-actions"><a class="button button-plain" href=${href("/api")}>HTTP API</a><${Button} onClick=${() => signOut()}>Sign out<//></div>`}<//></div></header>`;
}

/** In place of pages that would all be refused. */
function NoRole({ caller }) {
  return html`<${EmptyState} icon="lock" title="You may not see anything here yet" actions=${html`<${Button} onClick=${() => signOut()}>Sign out<//>`}>
    <p>You are signed in as <bdi class="mono">${caller.principal}</bdi> of the team <bdi>${caller.teamId}</bdi>. None of your roles is one that this team has.</p>
    <p>Whoever manages your team's roles can give you one. Sign in again then.</p><//>`;
}

/** Loads the module of the route's page, once, and shows it. */
function RoutedPage({ route, params, query, path, session }) {
  const [loaded, setLoaded] = useState({});
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let current = true;
    const report = (members) => current && setLoaded({ route, ...members });
    route?.load().then((module) => report({ Page: module.default }), () => report({ error: true }));
    return () => { current = false; };
  }, [route, attempt]);
  if (!route) {
    return html`<${EmptyState} icon="search" title="There is no such page" actions=${html`<a class="button button-plain" href=${href(HOME)}>All runs</a>`}>
      <p>Nothing is at <code>${path}</code>.</p><//>`;
  }
  if (loaded.route !== route) return html`<${Loading} />`;
  if (loaded.error) return html`<${EmptyState} icon="offline" title="This page could not be loaded" actions=${html`<${Button} onClick=${() => setAttempt(attempt + 1)}>Try again<//>`}><p>The server does not answer, or has a newer console: reload then.</p><//>`;
  return html`<${loaded.Page} params=${params} query=${query} session=${session} />`;
}

resumeSession();
render(html`<${App} />`, document.getElementById("app"));
