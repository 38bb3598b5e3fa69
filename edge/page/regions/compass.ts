/**
 * Where regions are from here: an azimuthal equidistant projection around whoever asks, so that a distance on the drawing is
 * one on the globe, and north is up.
 */
import { distanceKm } from "../../../shared/regions/nearest.ts";
import type { Place } from "../../../shared/regions/region.ts";
import type { RegionsReport } from "../../../shared/regions/report.ts";
import { count } from "../format.ts";
import { svg } from "../svg.ts";
import { colorOf } from "./colors.ts";

/** Half the drawing's side, in its own units, with room for names. */
const HALF = 100;
const REACH = 78;
const RING_KM = 5000;
const RADIANS = Math.PI / 180;

/** A region on the drawing. */
interface Spot {
  readonly region: string;
  readonly x: number;
  readonly y: number;
}

/** Draws it into an SVG element; `answering` is joined to the middle by a line of its colour. Nothing where no place is known. */
export function drawCompass(
  into: SVGSVGElement,
  report: RegionsReport,
  answering: string | undefined,
  unreachable: ReadonlySet<string>,
): void {
  const spots = spotsOf(report);
  into.toggleAttribute("hidden", spots.length < 2);
  if (spots.length < 2) return;
  const far = Math.max(...report.regions.map(({ distance_km }) => distance_km ?? 0));
  const rings = Math.max(1, Math.ceil(far / RING_KM));
  const circles = Array.from({ length: rings }, (_, at) => {
    const r = (REACH * (at + 1)) / rings;
    const label = svg("text", { class: "ring-label", x: 0, y: r + 9 }, `${count((at + 1) * RING_KM)} km`);
    return [svg("circle", { class: "ring", r }), label];
  });
  // The one that answers last, over the others.
  const ordered = spots.toSorted((a, b) => Number(a.region === answering) - Number(b.region === answering));
  const ways = ordered.map(({ region, x, y }) => {
    const state = region === answering ? "active" : unreachable.has(region) ? "broken" : "";
    const line = svg("path", { class: `way ${state}`, d: `M0 0L${x.toFixed(1)} ${y.toFixed(1)}` });
    line.style.setProperty("--region", colorOf(region));
    return line;
  });
  const marks = ordered.flatMap((spot) => markOf(spot, unreachable.has(spot.region)));
  into.setAttribute("aria-label", wordsOf(report));
  into.replaceChildren(...circles.flat(), ...ways, svg("circle", { class: "here", r: 7 }), ...marks);
}

function spotsOf({ from, regions }: RegionsReport): readonly Spot[] {
  if (from === null) return [];
  const far = Math.max(...regions.map(({ distance_km }) => distance_km ?? 0));
  const scale = REACH / (Math.max(1, Math.ceil(far / RING_KM)) * RING_KM);
  return regions.flatMap(({ region, latitude, longitude }) => {
    if (latitude === null || longitude === null) return [];
    const place = { latitude, longitude };
    const radius = distanceKm(from, place) * scale;
    const bearing = bearingOf(from, place);
    return [{ region, x: radius * Math.sin(bearing), y: -radius * Math.cos(bearing) }];
  });
}

/** The direction in which the shortest way to a place begins, in radians from north over east. */
function bearingOf(from: Place, to: Place): number {
  const [a, b] = [from.latitude * RADIANS, to.latitude * RADIANS];
  const turn = (to.longitude - from.longitude) * RADIANS;
  const east = Math.sin(turn) * Math.cos(b);
  const north = Math.cos(a) * Math.sin(b) - Math.sin(a) * Math.cos(b) * Math.cos(turn);
  return Math.atan2(east, north);
}

function markOf({ region, x, y }: Spot, broken: boolean): readonly SVGElement[] {
  const dot = svg("circle", {
    class: broken ? "spot broken" : "spot",
    cx: x.toFixed(1),
    cy: y.toFixed(1),
    r: 4,
  });
  dot.style.setProperty("--region", colorOf(region));
  // Away from the middle, where the lines are.
  const left = x < -HALF / 8;
  const name = svg(
    "text",
    {
      class: left ? "spot-name left" : "spot-name",
      x: (x + (left ? -9 : 9)).toFixed(1),
      y: (y + 4).toFixed(1),
    },
    region,
  );
  return [dot, name];
}

function wordsOf({ regions }: RegionsReport): string {
  const far = regions.map(({ region, distance_km }) =>
    distance_km === null
      ? `${region} at an unknown distance`
      : `${region} ${count(Math.round(distance_km))} km`,
  );
  return `Regions by distance from here: ${far.join(", ")}`;
}
