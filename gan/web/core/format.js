// Numbers, times and devices as people read them.
import { t } from "./i18n.js";

/**
 * Seconds as 0:42, 12:05 or 3:07:00.
 * @param {number | null | undefined} seconds
 */
export function clock(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/**
 * A whole number with the separators of the reader's language.
 * @param {number} value
 */
export const whole = (value) =>
  new Intl.NumberFormat(document.documentElement.lang).format(Math.round(value));

/**
 * A count in about three figures: 950, 12.3k, 4.56M.
 * @param {number | null | undefined} value
 */
export function short(value) {
  if (value === null || value === undefined) return "–";
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)}M`;
  if (value >= 1e4) return `${(value / 1e3).toPrecision(3)}k`;
  return whole(value);
}

/** @type {[string, number][]} */
const UNITS = [
  ["GB", 1e9],
  ["MB", 1e6],
];
/** @type {[string, number]} */
const SMALLEST = ["kB", 1e3];

/**
 * A number of bytes in about three figures: 512 kB, 12.3 MB, 1.23 GB.
 * @param {number} bytes
 */
export function fileSize(bytes) {
  const [unit, size] = UNITS.find(([, least]) => bytes >= least) ?? SMALLEST;
  const value = bytes / size;
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(value < 1 ? 1 : 3))} ${unit}`;
}

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const PERIODS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
]; // in seconds

/**
 * "3 minutes ago", in the reader's language, for a unix time.
 * @param {number} unix
 */
export function ago(unix) {
  const form = new Intl.RelativeTimeFormat(document.documentElement.lang, {
    numeric: "auto",
    style: "short",
  });
  const seconds = unix - Date.now() / 1000;
  for (const [unit, length] of PERIODS) {
    if (Math.abs(seconds) >= length) return form.format(Math.round(seconds / length), unit);
  }
  return form.format(Math.round(Math.min(0, seconds)), "second");
}

/**
 * A device in the reader's language. Processors have an English label; a GPU's own name stays.
 * @param {string | null | undefined} label
 */
export function device(label) {
  const threads = /^CPU, (\d+) threads?$/.exec(label ?? "")?.[1];
  return threads ? t(threads === "1" ? "common.cpu_one" : "common.cpu", { threads }) : label;
}

/** Without the noise of binary fractions. @param {number} value @param {number} factor */
export const times = (value, factor) => Number((value * factor).toPrecision(6));

/** "× 4", or "÷ 2" for a half. @param {number} factor */
export const multiplied = (factor) => (factor < 1 ? `÷ ${times(1 / factor, 1)}` : `× ${times(factor, 1)}`);
