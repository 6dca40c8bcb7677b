// Owns the Settings page: its sections as tabs. Only the sections that the caller may open are
// shown, and each is loaded when it is opened.
import { useEffect, useState } from "preact/hooks";
import { href, navigate } from "../router.js";
import { html } from "../ui/html.js";
import { Button, Tabs } from "../ui/controls.js";
import { EmptyState, Loading } from "../ui/states.js";
import { visible } from "../ui/visible.js";
import { mayOpen, SECTIONS } from "../settings/access.js";

const LOAD = {
  tokens: () => import("../settings/tokens.js"),
  roles: () => import("../settings/roles.js"),
  masking: () => import("../settings/masking.js"),
  retention: () => import("../settings/retention.js"),
  stalled: () => import("../settings/stalled.js"),
  audit: () => import("../settings/audit.js"),
};

/**
 * @param {{params: {section?: string}, query: Object<string, string>,
 *   session: import("../session.js").Session}} props
 */
export default function Page({ params, query, session }) {
  const allowed = SECTIONS.filter((section) => mayOpen(section, session));
  const asked = params.section ?? allowed[0]?.id ?? "tokens";
  const section = SECTIONS.find(({ id }) => id === asked);
  useEffect(() => {
    if (!params.section && allowed.length > 0) navigate(`/settings/${allowed[0].id}`, {}, { replace: true });
  }, [params.section]);
  const tabs = allowed.map(({ id, label }) => ({ id, label, href: href(`/settings/${id}`) }));
  return html`
    <section class="page settings" aria-labelledby="settings-title">
      <header class="page-head">
        <h1 id="settings-title">Settings</h1>
      </header>
      ${tabs.length > 0 && html`<${Tabs} label="Settings" tabs=${tabs} current=${asked} />`}
      <div class="settings-body">
        ${refusal(section, asked, session) ?? html`
          <${Section} key=${asked} id=${asked} query=${query} session=${session} />
        `}
      </div>
    </section>
  `;
}

function refusal(section, asked, session) {
  if (!section) {
    return html`
      <${EmptyState} icon="search" title="Section not found">
        <p>
          Settings has no section <code>${visible(asked)}</code>.
        </p>
      <//>
    `;
  }
  if (mayOpen(section, session)) return null;
  const limited = session.can(section.permission);
  return html`
    <${EmptyState} icon="lock" title="You do not have access to this">
      <p>
        ${limited
          ? "Your token is limited to flows, and this section applies to the whole team."
          : html`
            You need the permission <code>${section.permission}</code>. Ask an admin of your team for a role with
            it.
          `}
      </p>
    <//>
  `;
}

function Section({ id, ...props }) {
  const [loaded, setLoaded] = useState(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let current = true;
    LOAD[id]().then(
      (module) => current && setLoaded({ Part: module.default }),
      () => current && setLoaded({ error: true }),
    );
    return () => {
      current = false;
    };
  }, [id, attempt]);
  if (!loaded) return html`<${Loading} rows=${5} />`;
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
  return html`<${loaded.Part} ...${props} />`;
}
