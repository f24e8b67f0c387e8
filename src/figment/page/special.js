// The normal distribution and its inverse in float64, as torch has them.

/**
 * Returns the share of the normal distribution below x, from 0 to 1: (1 + erf(x / √2)) / 2.
 * @param {number} x
 * @returns {number}
 */
export function ndtr(x) {
  return (1 + erf(x / Math.SQRT2)) * 0.5;
}

/**
 * Returns the x below which a share y of the normal distribution lies, for y in (0, 1).
 * Cephes, ndtri.c (Moshier 1989); the order of the sums is the original's, so that the last bit is, too.
 * @param {number} share
 * @returns {number}
 */
export function ndtri(share) {
  const upper = share > 1 - EXP_MINUS_2;
  const y = upper ? 1 - share : share;
  if (y > EXP_MINUS_2) {
    const middle = y - 0.5;
    const square = middle * middle;
    return (
      (middle + middle * ((square * polynomial(square, P0)) / polynomial(square, Q0))) * ROOT_2_PI
    );
  }
  const x = Math.sqrt(-2 * Math.log(y));
  const z = 1 / x;
  const [p, q] = x < 8 ? [P1, Q1] : [P2, Q2];
  const tail = x - Math.log(x) / x - (z * polynomial(z, p)) / polynomial(z, q);
  return upper ? tail : -tail;
}

/**
 * Returns erf(x), within an ulp; fdlibm's s_erf.c (Sun Microsystems 1993).
 * @param {number} x
 * @returns {number}
 */
export function erf(x) {
  const size = Math.abs(x);
  const sign = x < 0 ? -1 : 1;
  if (size < 0.84375) {
    if (size < 2 ** -28) return x + 0.1283791670955125738961589031 * x;
    const z = x * x;
    return x + x * (rising(z, PP) / rising(z, QQ));
  }
  if (size < 1.25) {
    const s = size - 1;
    return sign * (ERX + rising(s, PA) / rising(s, QA));
  }
  if (size >= 6) return sign;
  const s = 1 / (size * size);
  const [r, q] = size < 1 / 0.35 ? [RA, SA] : [RB, SB];
  // x is squared in two parts, of which the first is exact.
  const high = truncated(size);
  const scale =
    Math.exp(-high * high - 0.5625) *
    Math.exp((high - size) * (high + size) + rising(s, r) / rising(s, q));
  return sign * (1 - scale / size);
}

/** Returns x with the lower 32 bits of its fraction cleared. */
function truncated(x) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  view.setUint32(4, 0);
  return view.getFloat64(0);
}

/** Returns a polynomial whose highest coefficient comes first, by Horner's rule. */
function polynomial(x, coefficients) {
  let sum = 0;
  for (const coefficient of coefficients) sum = sum * x + coefficient;
  return sum;
}

/** Returns a polynomial whose constant comes first. */
function rising(x, coefficients) {
  let sum = 0;
  for (let index = coefficients.length - 1; index >= 0; index--)
    sum = sum * x + coefficients[index];
  return sum;
}

const EXP_MINUS_2 = 0.13533528323661269189;
const ROOT_2_PI = 2.50662827463100050242;
const P0 = [
  -5.99633501014107895267e1, 9.80010754185999661536e1, -5.66762857469070293439e1,
  1.39312609387279679503e1, -1.23916583867381258016,
];
const Q0 = [
  1, 1.95448858338141759834, 4.67627912898881538453, 8.63602421390890590575e1,
  -2.25462687854119370527e2, 2.00260212380060660359e2, -8.20372256168333339912e1,
  1.59056225126211695515e1, -1.18331621121330003142,
];
const P1 = [
  4.05544892305962419923, 3.15251094599893866154e1, 5.71628192246421288162e1,
  4.408050738932008347e1, 1.46849561928858024014e1, 2.18663306850790267539,
  -1.40256079171354495875e-1, -3.50424626827848203418e-2, -8.57456785154685413611e-4,
];
const Q1 = [
  1, 1.57799883256466749731e1, 4.53907635128879210584e1, 4.1317203825467203044e1,
  1.50425385692907503408e1, 2.50464946208309415979, -1.42182922854787788574e-1,
  -3.80806407691578277194e-2, -9.33259480895457427372e-4,
];
const P2 = [
  3.2377489177694603597, 6.91522889068984211695, 3.93881025292474443415, 1.33303460815807542389,
  2.01485389549179081538e-1, 1.23716634817820021358e-2, 3.01581553508235416007e-4,
  2.65806974686737550832e-6, 6.2397453918498329373e-9,
];
const Q2 = [
  1, 6.02427039364742014255, 3.67983563856160859403, 1.37702099489081330271,
  2.1623699359449663589e-1, 1.34204006088543189037e-2, 3.28014464682127739104e-4,
  2.89247864745380683936e-6, 6.79019408009981274425e-9,
];

const ERX = 8.45062911510467529297e-1;
const PP = [
  1.28379167095512558561e-1, -3.2504210724700149937e-1, -2.84817495755985104766e-2,
  -5.77027029648944159157e-3, -2.37630166566501626084e-5,
];
const QQ = [
  1, 3.97917223959155352819e-1, 6.50222499887672944485e-2, 5.08130628187576562776e-3,
  1.32494738004321644526e-4, -3.9602282787753681232e-6,
];
const PA = [
  -2.36211856075265944077e-3, 4.14856118683748331666e-1, -3.72207876035701323847e-1,
  3.18346619901161753674e-1, -1.10894694282396677476e-1, 3.54783043256182359371e-2,
  -2.166375594868790843e-3,
];
const QA = [
  1, 1.06420880400844228286e-1, 5.40397917702171048937e-1, 7.18286544141962662868e-2,
  1.26171219808761642112e-1, 1.36370839120290507362e-2, 1.1984499846799107417e-2,
];
const RA = [
  -9.86494403484714822705e-3, -6.93858572707181764372e-1, -1.05586262253232909814e1,
  -6.23753324503260060396e1, -1.62396669462573470355e2, -1.84605092906711035994e2,
  -8.12874355063065934246e1, -9.81432934416914548592,
];
const SA = [
  1, 1.96512716674392571292e1, 1.376577541435190426e2, 4.34565877475229228821e2,
  6.45387271733267880336e2, 4.29008140027567833386e2, 1.08635005541779435134e2,
  6.57024977031928170135, -6.04244152148580987438e-2,
];
const RB = [
  -9.86494292470009928597e-3, -7.99283237680523006574e-1, -1.77579549177547519889e1,
  -1.60636384855821916062e2, -6.37566443368389627722e2, -1.02509513161107724954e3,
  -4.83519191608651397019e2,
];
const SB = [
  1, 3.03380607434824582924e1, 3.25792512996573918826e2, 1.53672958608443695994e3,
  3.19985821950859553908e3, 2.55305040643316442583e3, 4.74528541206955367215e2,
  -2.24409524465858183362e1,
];
