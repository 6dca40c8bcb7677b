// Owns what is shown in the place of a page that cannot be drawn.
import { Component } from "preact";
import { href, HOME } from "../router.js";
import { html } from "./html.js";
import { Button } from "./controls.js";
import { EmptyState } from "./states.js";

/** Around a page: an error in drawing it is told, with ways out. Give it a `key` of the page. */
export class Boundary extends Component {
  componentDidCatch(error) {
    console.error(error);
    this.setState({ error });
  }

  render({ children }, { error }) {
    if (!error) return children;
    return html`<div role="alert"><${EmptyState} icon="warning" title="This page cannot be shown" actions=${html`
        <${Button} kind="primary" onClick=${() => this.setState({ error: null })}>Try again<//>
        <a class="button button-plain" href=${href(HOME)}>All runs</a><${Button} onClick=${() => location.reload()}>Reload<//>`}>
      <p>The console met something that it does not expect. Nothing of your data has changed.</p>
      <p class="muted small"><code>${String(error?.message ?? error)}</code></p><//></div>`;
  }
}
