// Owns the right half of a row: its bar, with the duration if there is room.
import { formatDuration, formatTicking } from "../format.js";
import { classes, html } from "../ui/html.js";
import { isOpen } from "../ui/status.js";
import { offsetLabel, placeOf } from "./scale.js";

const MAX_MINI = 120;

/**
 * @param {{row: import("./rows.js").Row, view: Object, start: number, present: number, length: number,
 *   onReveal: (view: Object) => void}} props
 */
export function Bars({ row, view, start, present, length, onReveal }) {
  const end = endOf(row, present);
  const place = placeOf(row.begin, end, view, start);
  if (!place) {
    return html`
      <div class="tl-chart" aria-hidden="true">
        <span class="tl-untimed">no time recorded</span>
      </div>
    `;
  }
  if (place.before || place.after) {
    return html`
      <div class="tl-chart" aria-hidden="true">
        <${Hint}
          row=${row}
          end=${end}
          place=${place}
          start=${start}
          length=${length}
          view=${view}
          onReveal=${onReveal}
        />
      </div>
    `;
  }
  const minis = row.kind === "lane" && !row.open ? row.branch.steps.slice(0, MAX_MINI) : null;
  return html`
    <div class="tl-chart" aria-hidden="true">
      ${minis
        ? minis.map(
            (step) => html`
              <${Bar}
                key=${step.stepInstanceId}
                of=${step}
                place=${placeOf(step.begin, endOf(step, present), view, start)}
                mini=${true}
              />
            `,
          )
        : html`
          <${Bar}
            of=${row}
            place=${place}
            lane=${row.kind === "lane"}
            unknownEnd=${end === null && row.status !== "SKIPPED"}
          />
        `}
      <${Label} row=${row} end=${end} place=${place} />
    </div>
  `;
}

const endOf = ({ end, status }, present) => end ?? (isOpen(status) ? present : null);

function Bar({ of, place, mini, lane, unknownEnd }) {
  if (!place || place.before || place.after) return null;
  const style = { left: `${place.left}%`, width: `${place.width}%` };
  return html`
    <span
      class=${classes(
        "tl-bar",
        `bar-${of.status.toLowerCase()}`,
        mini && "tl-mini",
        lane && "tl-lane-bar",
        unknownEnd && "tl-endless",
        place.left > 99 && "tl-at-end",
      )}
      style=${style}
    ></span>
  `;
}

/** To the right of the bar if there is room, otherwise to the left of it or on it. */
function Label({ row, end, place }) {
  const text = labelOf(row, end);
  const right = place.left + place.width;
  // The mark of a step without a duration is wider than its time.
  const far = (row.status === "SKIPPED" || end === null) && "tl-took-far";
  if (right < 84) {
    return html`
      <span class=${classes("tl-took", far)} style=${{ left: `${Math.max(0, right)}%` }}>${text}</span>
    `;
  }
  if (place.left > 16) {
    return html`
      <span class=${classes("tl-took tl-took-left", far)} style=${{ right: `${100 - place.left}%` }}>${text}</span>
    `;
  }
  return html`
    <span class="tl-took tl-took-in" style=${{ right: `${Math.max(0, 100 - right)}%` }}>
      <span>${text}</span>
    </span>
  `;
}

function labelOf(row, end) {
  if (row.status === "SKIPPED") return "skipped";
  if (isOpen(row.status) && row.begin !== null) return formatTicking(Math.max(0, end - row.begin));
  const took = row.step?.durationMs ?? (end === null ? null : end - row.begin);
  return took === null ? "end not recorded" : formatDuration(took);
}

/** An arrow to a bar outside the view. */
function Hint({ row, end, place, start, length, view, onReveal }) {
  const begin = row.begin - start;
  const go = (event) => {
    event.stopPropagation();
    const size = Math.max(view.to - view.from, ((end ?? row.begin) - row.begin) * 1.5);
    const from = Math.max(0, begin - size * 0.15);
    onReveal({ from: Math.min(from, length - size), to: Math.min(length, from + size) });
  };
  return html`
    <button
      type="button"
      tabindex="-1"
      class=${classes("tl-hint", place.after && "tl-hint-after")}
      onClick=${go}
      title="Show this bar"
    >
      ${place.after ? `${offsetLabel(begin)} ▸` : `◂ ${offsetLabel(begin)}`}
    </button>
  `;
}
