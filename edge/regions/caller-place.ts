/** Where a request comes from. */
import { LightedgeError, printable } from "../../shared/errors.ts";
import type { RequestPlace } from "../../shared/regions/nearest.ts";
import { isRegionName, REGION_NAMES, regionOf } from "../../shared/regions/region.ts";

/** The header that says where a request is to be taken to come from, where that is allowed: `52.4,4.9`, or a region. */
const FROM_HEADER = "x-lightedge-from";

const COORDINATES = /^([+-]?\d{1,2}(?:\.\d{1,6})?), ?([+-]?\d{1,3}(?:\.\d{1,6})?)$/;

/**
 * Where a request comes from: as the platform says, or, where `test` is true and there is one, as the header
 * does. Anybody could send that header, so a deployment leaves it alone. Throws `request/invalid` for a header that is
 * neither a place nor a region.
 */
export function callerPlace(request: Request, test: boolean): RequestPlace | undefined {
  const header = test ? request.headers.get(FROM_HEADER) : null;
  if (header !== null) return placeOfHeader(header);
  // Workers add it to the requests of the platform; elsewhere there is none.
  const { cf } = request as { readonly cf?: unknown };
  return typeof cf === "object" && cf !== null ? cf : undefined;
}

function placeOfHeader(text: string): RequestPlace {
  if (isRegionName(text)) return regionOf(text);
  const [, latitude, longitude] = COORDINATES.exec(text) ?? [];
  if (latitude !== undefined && Math.abs(Number(latitude)) <= 90 && Math.abs(Number(longitude)) <= 180)
    return { latitude, longitude };
  const message = `${FROM_HEADER} must be a latitude and a longitude in degrees, such as 52.4,4.9, or one of ${REGION_NAMES.join(", ")}; not ${printable(text)}.`;
  throw new LightedgeError("request/invalid", message, { field: FROM_HEADER });
}
