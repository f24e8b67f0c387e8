// Numbers for people, written as figment's reports write them.

/** Returns three significant digits, 1,250 and 0.0123, with an exponent where that would be long. */
export function significant(value) {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || value === 0) return String(value);
  if (size < 1e-6 || size >= 1e6) return value.toExponential(2);
  const digits = Math.max(0, 2 - Number(value.toExponential(2).split("e")[1]));
  const form = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return value.toLocaleString("en", form);
}
