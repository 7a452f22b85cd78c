/* Floating point in and out: printf in every form, strtod, the mathematics library, rounding, special values. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The mathematics library may differ in the last bits from one release to the next. */
static void near(const char *what, double x) { printf("%-14s %.12g\n", what, x); }

static void bits(const char *what, double x)
{
    uint64_t u;

    memcpy(&u, &x, sizeof u);
    printf("%-14s %24.17g %a %016" PRIx64 "\n", what, x, x, u);
}

int main(void)
{
    static const double values[] = { 0, -0.0, 1, -1.5, 0.1, 1e21, 123456789.123, DBL_MAX, DBL_MIN, 5e-324, 1.0 / 3 };
    static const char *const texts[] = { "3.14159", "1e-400", "1e400", "0x1.8p3", "2.2250738585072011e-308",
        "9007199254740993", "179769313486231580793728971405301e276", "inf", "-.5e-3x" };

    for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
        double v = values[i];
        printf("%f|%e|%g|%.0f|%+.3e|%#g|%10.2f|%-12.4g|\n", v < 1e30 ? v : 1, v, v, v < 1e30 ? v : 2, v, v, v < 1e9 ? v : 3, v);
    }
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *end;
        bits(texts[i][0] == '1' && strlen(texts[i]) > 14 ? "(long)" : texts[i][0] == '2' ? "(subnormal)" : texts[i], strtod(texts[i], &end));
        if (*end)
            printf("  stopped at '%s'\n", end);
    }
    bits("sqrt 2", sqrt(2));
    near("sin 1e6", sin(1e6));
    near("exp 1", exp(1));
    near("pow", pow(1.0000001, 1e7));
    near("atan2", atan2(-1, -0.0));
    bits("fmod", fmod(1e300, 7));
    near("cbrt", cbrt(-27.5));
    near("lgamma", lgamma(0.5));
    near("erf", erf(0.3));
    bits("fma", fma(1e16, 1 + DBL_EPSILON, -1e16));
    bits("nearbyint", nearbyint(2.5));
    bits("round", round(2.5));
    bits("trunc", trunc(-2.7));
    bits("copysign", copysign(3, -0.0));
    bits("nextafter", nextafter(1, 2));
    bits("(float)0.1", (double)0.1f);
    printf("%d %d %d\n", isnan(sqrt(-1)) != 0, isinf(1e308 * 10) != 0, fpclassify(5e-324) == FP_SUBNORMAL);
    printf("%ld %lld %u %d\n", lround(-2.5), llrint(3.5), (unsigned)4e9, (int)-1.9);
    printf("%.30Lg %Lf\n", 1.0L / 3, 1e10L / 7);
    return 0;
}
