// Owns the start and the shell: the session, the top bar, and the page of the route.
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
import { Dialog } from "./ui/dialog.js";
import { setTitle, TitleAnnouncer } from "./ui/title.js";
import { Toasts } from "./ui/toast.js";
import { visible } from "./ui/visible.js";
import { HOME, href, setRoutes, useNewTabLinks, useRoute } from "./router.js";
import { ROUTES } from "./routes.js";
import { declineCode, resumeSession, signInWithCode, signOut, useSession } from "./session.js";
import { mayOpen, SECTIONS } from "./settings/access.js";
import SignIn from "./pages/sign-in.js";

function App() {
  const session = useSession();
  const { route } = useRoute();
  if (session.state === "starting") {
    return html`
      <main class="main">
        <${Loading} rows=${3} label="Starting" />
      </main>
    `;
  }
  if (session.state === "unreachable") {
    return html`
      <main class="main">
        <${ErrorState}
          error=${session.error}
          onRetry=${resumeSession}
          actions=${html`<${Button} onClick=${() => signOut()}>Sign out<//>`}
        />
      </main>
    `;
  }
  if (session.state === "signed-out" && route?.open) return html`<${PublicShell} />`;
  if (session.state === "signed-out") {
    return html`<${SignIn} notice=${session.notice} endSessionUrl=${session.endSessionUrl} />`;
  }
  return html`<${Shell} session=${session} />`;
}

function Shell({ session }) {
  const location = useRoute();
  // The sections of Settings share one page; each run has its own.
  const page = `${location.route?.path} ${location.params.runId ?? ""}`;
  const [help, setHelp] = useState(false);
  useShortcuts({ "?": () => setHelp(true) });
  const main = useRef(null);
  const skip = (event) => {
    event.preventDefault(); // The router owns the hash.
    main.current.focus();
  };
  useEffect(() => {
    setTitle(location.route?.title ?? "");
  }, [page]);
  useHeadingFocus(main, page);
  useNearFocus();
  useNewTabLinks();
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to content</a>
    <${TopBar} session=${session} path=${location.path} onHelp=${() => setHelp(true)} />
    <main class="main" id="main" tabindex="-1" ref=${main}>
      <${Boundary} key=${page}>
        ${session.caller.permissions.length === 0
          ? html`<${NoAccess} caller=${session.caller} />`
          : html`<${RoutedPage} ...${location} session=${session} />`}
      <//>
    </main>
    ${session.offeredCode && html`<${SwitchDialog} key=${session.offeredCode} session=${session} />`}
    ${help && html`<${ShortcutsDialog} page=${location.route?.path} onClose=${() => setHelp(false)} />`}
    <${Toasts} />
    <${TitleAnnouncer} />
  `;
}

/** Asks whether a sign-in link should replace this tab's session. */
function SwitchDialog({ session }) {
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const { teamId, principal } = session.caller;
  const change = async () => {
    setBusy(true);
    setError(null);
    try {
      await signInWithCode(session.offeredCode);
    } catch (problem) {
      setError(problem.message);
      setBusy(false);
    }
  };
  return html`
    <${Dialog}
      title="Switch to the sign-in link?"
      onClose=${declineCode}
      actions=${html`
        <${Button} autofocus onClick=${declineCode}>Stay signed in<//>
        <${Button} kind="primary" disabled=${busy} onClick=${change}>${busy ? "Switching …" : "Switch"}<//>
      `}
    >
      <p>
        In this tab you are signed in as <bdi class="mono">${principal}</bdi> in the
        team <bdi>${teamId}</bdi>. The link that you opened signs you in as an admin of the server.
      </p>
      ${error && html`<p class="notice" role="alert">${error}</p>`}
    <//>
  `;
}

/** The frame of a page that needs no session. */
function PublicShell() {
  const location = useRoute();
  useEffect(() => {
    setTitle(location.route?.title ?? "");
  }, [location.route]);
  return html`
    <header class="top">
      <a class="brand" href=${href(HOME)} aria-label="Flowtrail">
        <${Mark} />
        <span class="brand-name">Flowtrail</span>
      </a>
      <div class="top-end">
        <a class="button button-plain" href=${href(HOME)}>Sign in</a>
      </div>
    </header>
    <main class="main" id="main" tabindex="-1">
      <${Boundary}>
        <${RoutedPage} ...${location} session=${null} />
      <//>
    </main>
    <${Toasts} />
    <${TitleAnnouncer} />
  `;
}

function TopBar({ session, path, onHelp }) {
  const links = [
    ["/runs", "Runs"],
    ["/statistics", "Statistics"],
  ];
  if (SECTIONS.some((section) => mayOpen(section, session))) links.push(["/settings", "Settings"]);
  const { teamId, principal } = session.caller;
  return html`
    <header class="top">
      <a class="brand" href=${href(HOME)} aria-label="Flowtrail, all runs">
        <${Mark} />
        <span class="brand-name">Flowtrail</span>
      </a>
      <nav class="top-nav" aria-label="Main">
        ${links.map(([to, label]) => html`
          <a
            key=${to}
            href=${href(to)}
            aria-current=${path === to ? "page" : path.startsWith(`${to}/`) ? "true" : null}
          >
            ${label}
          </a>
        `)}
      </nav>
      <div class="top-end">
        <${Button} kind="quiet" icon="keyboard" label="Keyboard shortcuts" class="wide-only" onClick=${onHelp} />
        <${Popover}
          label=${`Account: team ${visible(teamId)}, ${visible(principal)}`}
          buttonClass="account"
          panelClass="account-panel"
          button=${html`
            <${Icon} name="user" />
            <bdi class="account-team">${visible(teamId)}</bdi>
            <${Icon} name="down" />
          `}
        >
          ${() => html`
            <dl class="facts">
              <dt>Team</dt>
              <dd>
                <bdi>${visible(teamId)}</bdi>
              </dd>
              <dt>Signed in as</dt>
              <dd>
                <bdi class="mono">${visible(principal)}</bdi>
              </dd>
              ${session.caller.flows && html`
                <dt>Limited to</dt>
                <dd>
                  <bdi>${session.caller.flows.map(visible).join(", ")}</bdi>
                </dd>
              `}
            </dl>
            <div class="account-actions">
              <a class="button button-plain" href=${href("/api")}>HTTP API</a>
              <${Button} onClick=${() => signOut()}>Sign out<//>
            </div>
          `}
        <//>
      </div>
    </header>
  `;
}

/** Shown instead of pages that the server would all refuse. */
function NoAccess({ caller }) {
  return html`
    <${EmptyState}
      icon="lock"
      title="You do not have access yet"
      actions=${html`<${Button} onClick=${() => signOut()}>Sign out<//>`}
    >
      <p>
        You are signed in as <bdi class="mono">${visible(caller.principal)}</bdi> in the
        team <bdi>${visible(caller.teamId)}</bdi>. This team does not have any of your roles.
      </p>
      <p>Ask an admin of your team for a role, then sign in again.</p>
    <//>
  `;
}

/** Loads the module of the route's page once, and shows it. */
function RoutedPage({ route, params, query, path, session }) {
  const [loaded, setLoaded] = useState({});
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let current = true;
    const report = (members) => current && setLoaded({ route, ...members });
    route?.load().then(
      (module) => report({ Page: module.default }),
      () => report({ error: true }),
    );
    return () => {
      current = false;
    };
  }, [route, attempt]);
  if (!route) {
    return html`
      <${EmptyState}
        icon="search"
        title="Page not found"
        actions=${html`<a class="button button-plain" href=${href(HOME)}>All runs</a>`}
      >
        <p>
          The console has no page at <code>${visible(path)}</code>.
        </p>
      <//>
    `;
  }
  if (loaded.route !== route) return html`<${Loading} />`;
  if (loaded.error) {
    return html`
      <${EmptyState}
        icon="offline"
        title="This page could not be loaded"
        actions=${html`<${Button} onClick=${() => setAttempt(attempt + 1)}>Try again<//>`}
      >
        <p>The server does not answer, or has a newer console. Try again, or reload the page.</p>
      <//>
    `;
  }
  return html`<${loaded.Page} params=${params} query=${query} session=${session} />`;
}

setRoutes(ROUTES);
resumeSession();
render(html`<${App} />`, document.getElementById("app"));
