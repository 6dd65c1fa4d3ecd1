// The mathematics of the turn once more, for views that ask "what if" while a control moves: `adar_viz.transition` and
// `adar_viz.trace.closed_form`, whose docstrings say where each formula comes from. Tests hold the two to 1e-6.

// P(Z < z) for a standard normal Z: a series in the middle, a continued fraction in the tails.
const normalCdf = (z) => {
  const x = Math.abs(z);
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  let tail;
  if (x < 3) {
    let term = x, sum = x;
    for (let k = 3; term > 1e-17 * sum; k += 2) sum += term *= (x * x) / k;
    tail = 0.5 - density * sum;
  } else {
    let fraction = x;
    for (let k = 40; k > 0; k--) fraction = x + k / fraction;
    tail = density / fraction;
  }
  return z > 0 ? 1 - tail : tail;
};

// The z with P(Z < z) = p, by bisection: asked once for a whole view.
const normalQuantile = (p) => {
  let low = -40, high = 40;
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};

const probabilityNegative = (s, alphaBar, n, b) => {
  const gap = b - Math.sqrt(alphaBar) * s, sd = Math.sqrt(1 - alphaBar) * n;
  return sd > 0 ? normalCdf(gap / sd) : Number(gap > 0);
};

// Schedules: alpha_bar from 0 to T.
const fromBeta = (beta) => {
  const alphaBar = [1];
  for (const b of beta) alphaBar.push(alphaBar.at(-1) * (1 - Math.min(b, 0.999)));
  return alphaBar;
};
const fromSignal = (T, signal) => {
  const levels = Array.from({ length: T + 1 }, (_, t) => signal(t / T));
  return fromBeta(levels.slice(1).map((level, t) => 1 - level / levels[t]));
};
const logistic = (x) => 1 / (1 + Math.exp(x));
const SCHEDULES = {
  linear: (T) => fromBeta(Array.from({ length: T }, (_, t) => (1e-4 + ((0.02 - 1e-4) * t) / (T - 1)) * (1000 / T))),
  cosine: (T) => fromSignal(T, (share) => Math.cos((((share + 0.008) / 1.008) * Math.PI) / 2) ** 2),
  sigmoid: (T) => fromSignal(T, (share) => (logistic(-3 + 6 * share) - logistic(3)) / (logistic(-3) - logistic(3))),
};

// alpha_bar at which P(t) reaches a level; q is the level's normal quantile; NaN where it never does.
const crossing = ({ s, n, b }, q) => {
  if (!(s > 0 && s > b && q * n < b)) return NaN;
  const square = s * s + q * n * q * n;
  return ((b * s - q * n * Math.sqrt(square - b * b)) / square) ** 2;
};

// Score-aware functions: g(s), the expected score wanted of the negative; a pair is { s, n, b, mean, sd }.
const WANTED = {
  ahns: ({ s }, { alpha, beta, p }) => beta * Math.max(s + alpha, 1e-6) ** (p + 1),
  snr: ({ s, n }, { c }) => (s * c * n) / Math.sqrt(s * s + c * n * c * n),
  relative: ({ s, mean }, { kappa }) => mean + kappa * (s - mean),
  margin: ({ s, sd }, { delta, unit }) => s - (unit === "sd" ? delta * sd : delta),
};

// alpha_bar* of a pair; NaN where there is none.
const wantedAlphaBar = (pair, rule) => {
  const { s, b } = pair;
  if (rule.name === "fixed") return rule.level;
  if (rule.name === "threshold") {
    const found = crossing(pair, rule.quantile);
    return Number.isNaN(found) && s > 0 ? Number(s <= b) : found;
  }
  if (!(s > 0)) return NaN;
  return Math.min(Math.max(WANTED[rule.name](pair, rule) / s, 0), 1) ** 2;
};

// First timestep whose alpha_bar is at most the wanted one; NaN gives 0, beyond T gives T.
const timestepOf = (wanted, alphaBar) => {
  if (Number.isNaN(wanted)) return 0;
  let low = 0, high = alphaBar.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (alphaBar[middle] <= wanted) high = middle;
    else low = middle + 1;
  }
  return low;
};

// Python's round: halves go to the even neighbour.
const roundHalfEven = (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

// The transition of every pair under some settings:
//   pairs     { score, noise, boundary, mean, sd }, an array each, as recorded
//   settings  { alphaBar, noise (a factor), target, level, alpha, …, boundary: "recorded" | "quantile" | "constant", z, value, clamp }
const whatIf = (pairs, settings) => {
  const { alphaBar, clamp } = settings, T = alphaBar.length - 1;
  const [low, high] = clamp.map((share) => roundHalfEven(share * T));
  const rule = { ...settings, name: settings.target, quantile: normalQuantile(settings.level) };
  return pairs.score.map((s, i) => {
    const mean = pairs.mean[i], sd = pairs.sd[i], n = settings.noise * pairs.noise[i];
    const b = { recorded: pairs.boundary[i], quantile: mean + settings.z * sd, constant: settings.value }[settings.boundary];
    const wanted = wantedAlphaBar({ s, n, b, mean, sd }, rule);
    const asked = timestepOf(wanted, alphaBar);
    const t = Math.min(Math.max(asked, low), high);
    const probability = alphaBar.map((a) => probabilityNegative(s, a, n, b));
    return { s, n, b, wanted, t, clamped: t !== asked || Number.isNaN(wanted), already: s <= Math.max(b, 0), probability };
  });
};
