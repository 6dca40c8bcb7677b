// Owns the replacement for a page that fails to render.
import { Component } from "preact";
import { href, HOME } from "../router.js";
import { html } from "./html.js";
import { Button } from "./controls.js";
import { EmptyState } from "./states.js";

/** Catches errors while a page renders, and offers ways out. Give it the page as its `key`. */
export class Boundary extends Component {
  componentDidCatch(error) {
    console.error(error);
    this.setState({ error });
  }

  render({ children }, { error }) {
    if (!error) return children;
    return html`
      <div role="alert">
        <${EmptyState}
          icon="warning"
          title="This page cannot be shown"
          actions=${html`
            <${Button} kind="primary" onClick=${() => this.setState({ error: null })}>Try again<//>
            <a class="button button-plain" href=${href(HOME)}>All runs</a>
            <${Button} onClick=${() => location.reload()}>Reload<//>
          `}
        >
          <p>The console found something unexpected. Your data has not changed.</p>
          <p class="muted small">
            <code>${String(error?.message ?? error)}</code>
          </p>
        <//>
      </div>
    `;
  }
}
