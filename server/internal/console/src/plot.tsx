import { useRef, useState } from "preact/hooks";
import { clock, span } from "./format";

export interface Point {
  at: number;
  value: number | undefined;
}

const WIDTH = 300;
const HEIGHT = 64;

/** A value over time, small. Where there is none the line is broken. */
export function Plot({ title, points, format, about }: { title: string; points: readonly Point[]; format: (value: number) => string; about: string }) {
  const [at, setAt] = useState<number | undefined>(undefined);
  const area = useRef<SVGSVGElement>(null);
  const known = points.filter((p): p is { at: number; value: number } => typeof p.value === "number");
  const last = points.at(-1)?.value;
  const most = known.reduce((max, p) => Math.max(max, p.value), 0);
  const from = points[0]?.at ?? 0;
  const to = points.at(-1)?.at ?? 0;
  const x = (t: number): number => (to > from ? ((t - from) / (to - from)) * WIDTH : WIDTH);
  const y = (v: number): number => HEIGHT - 1 - (most > 0 ? (v / most) * (HEIGHT - 6) : 0);
  const hover = (e: PointerEvent): void => {
    const box = area.current?.getBoundingClientRect();
    if (box) setAt(from + ((e.clientX - box.left) / box.width) * (to - from));
  };
  const near = at === undefined ? undefined : known.reduce<{ at: number; value: number } | undefined>((best, p) => (!best || Math.abs(p.at - at) < Math.abs(best.at - at) ? p : best), undefined);
  const now = last === undefined ? "–" : format(last);
  return (
    <figure class="plot">
      <figcaption><span>{title}</span><b>{near ? format(near.value) : now}</b></figcaption>
      <svg ref={area} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${title}: now ${now}, at most ${format(most)}`}
        onPointerMove={hover} onPointerLeave={() => setAt(undefined)}>
        <line class="base" x1="0" x2={WIDTH} y1={HEIGHT - 1} y2={HEIGHT - 1} />
        {pieces(points).map((piece, i) => {
          const line = piece.map((p) => `${x(p.at).toFixed(1)},${y(p.value).toFixed(1)}`).join(" ");
          const first = x(piece[0]?.at ?? 0).toFixed(1);
          const end = x(piece.at(-1)?.at ?? 0).toFixed(1);
          return <g key={i} class={piece.length === 1 ? "point" : undefined}><polygon points={`${first},${HEIGHT} ${line} ${end},${HEIGHT}`} /><polyline points={piece.length === 1 ? `${line} ${line}` : line} /></g>;
        })}
        {near && <line class="cursor" x1={x(near.at)} x2={x(near.at)} y1="0" y2={HEIGHT} />}
      </svg>
      <p class="muted"><span>{near ? clock(new Date(near.at).toISOString()).slice(0, 8) : about}</span><span>{known.length > 0 ? `at most ${format(most)}` : points.length > 0 ? "none" : "not known yet"}{to > from ? ` · ${span(Math.round((to - from) / 1000))}` : ""}</span></p>
    </figure>
  );
}

/** The runs of points that are known. */
function pieces(points: readonly Point[]): { at: number; value: number }[][] {
  const all: { at: number; value: number }[][] = [[]];
  for (const { at, value } of points) {
    if (value === undefined) {
      if (all.at(-1)?.length) all.push([]);
    } else {
      all.at(-1)?.push({ at, value });
    }
  }
  return all.filter((piece) => piece.length > 0);
}
