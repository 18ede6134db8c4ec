// Where a run stands in the queue, and when its turn is likely to come.
import { t } from "../common.js";

/** "place 2, starts in about 4 min": `place` from 0, `seconds` undefined where nobody can know. */
export function waiting(place, seconds) {
  const values = { place: place + 1 };
  if (seconds === undefined) return t("stage.place", values);
  if (seconds < 60) return t("stage.place_soon", values);
  if (seconds < 5400) return t("stage.place_minutes", { ...values, minutes: Math.round(seconds / 60) });
  return t("stage.place_hours", { ...values, hours: Math.round(seconds / 3600) });
}
