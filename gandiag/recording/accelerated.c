/* The recorder's arithmetic on the CPU, compiled where a compiler is at hand: what `accelerated.py` calls, and nothing else.

   Plain C: no header of Python's or torch's. Nothing here allocates, keeps a pointer, or reads past the sizes that it is given.
   Sums are taken in double in a fixed order (LANES partial sums, whatever the machine), so that a record depends neither on where
   a row stands nor on the processor. Tensors are float32; `stride` counts values between the beginnings of two rows. Each
   function has a twin in torch, which the tests hold it equal to. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#define LANES 8

/* Where the compiler can, a second version for processors with wider registers, which the loader chooses: the same sums in the same
   order, and no fused multiply-adds, so to the same bits. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__has_attribute)
#if __has_attribute(target_clones)
#define WIDE __attribute__((target_clones("avx2", "default")))
#endif
#endif
#ifndef WIDE
#define WIDE
#endif

static double total(const double *lanes) {
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

/* A loop over all values with LANES partial sums; TERM is an expression of x. */
#define SUM(RESULT, VALUES, COUNT, TERM)                     \
    do {                                                     \
        double lanes[LANES] = {0};                           \
        const float *at = (VALUES);                          \
        int64_t whole = (COUNT) - (COUNT) % LANES, i = 0;    \
        for (; i < whole; i += LANES)                        \
            for (int lane = 0; lane < LANES; lane++) {       \
                const double x = at[i + lane];               \
                lanes[lane] += (TERM);                       \
            }                                                \
        for (; i < (COUNT); i++) {                           \
            const double x = at[i];                          \
            lanes[i - whole] += (TERM);                      \
        }                                                    \
        RESULT = total(lanes);                               \
    } while (0)

/* Adds TERM, an expression of x and y, over two lists of values to LANES partial sums. One sum a loop: of several, compilers make no vectors. */
#define ADD(SUMS, VALUES, OTHERS, COUNT, TERM)                        \
    do {                                                              \
        double lanes[LANES];                                          \
        memcpy(lanes, SUMS, sizeof lanes);                            \
        const float *one_at = (VALUES), *other_at = (OTHERS);         \
        int64_t in_lanes = (COUNT) - (COUNT) % LANES, i = 0;          \
        for (; i < in_lanes; i += LANES)                              \
            for (int lane = 0; lane < LANES; lane++) {                \
                const double x = one_at[i + lane], y = other_at[i + lane];\
                lanes[lane] += (TERM);                                \
            }                                                         \
        for (; i < (COUNT); i++) {                                    \
            const double x = one_at[i], y = other_at[i];              \
            lanes[i - in_lanes] += (TERM);                            \
        }                                                             \
        memcpy(SUMS, lanes, sizeof lanes);                            \
    } while (0)

/* Copies `count` values of a row: `plan` holds for each (where row 0 begins, bytes between rows, bytes to copy). Returns 0, or 1
   where a source has no memory, and then nothing was copied. */
int64_t copy_row(const uint64_t *from, const int64_t *plan, int64_t count, int64_t row) {
    for (int64_t i = 0; i < count; i++)
        if (!from[i] && plan[3 * i + 2]) return 1;
    for (int64_t i = 0; i < count; i++)
        memcpy((char *)(uintptr_t)plan[3 * i] + row * plan[3 * i + 1], (const char *)(uintptr_t)from[i], (size_t)plan[3 * i + 2]);
    return 0;
}

/* A tensor as DLPack's C interface shows it (dlpack.h, version 1; nothing of it is kept), and the function by which torch fills it in. */
typedef struct {
    void *data;
    int32_t device, device_id;
    int32_t axes;
    uint8_t code, bits;
    uint16_t lanes;
    int64_t *shape, *strides;
    uint64_t offset;
} View;
typedef int Reader(void *tensor, View *out);
enum { ON_CPU = 1, A_FLOAT = 2 };

/* The address of torch's Reader out of its table of functions; 0 where the table is of another version. */
int64_t reader_in(const void *table) {
    const struct {
        uint32_t major, minor;
        const void *older, *allocate, *export, *import, *read;
    } *functions = table;
    return functions->major == 1 ? (int64_t)(uintptr_t)functions->read : 0;
}

/* Where a tensor's values lie, if they are `count` float32 in one piece on the CPU; 0 for any other. */
static uint64_t place_of(void *tensor, Reader *read, int64_t count) {
    View view;
    if (read(tensor, &view) || view.device != ON_CPU || view.code != A_FLOAT || view.bits != 32 || view.lanes != 1) return 0;
    int64_t values = 1;
    for (int32_t axis = view.axes - 1; axis >= 0; axis--) {
        if (view.shape[axis] != 1 && view.strides[axis] != values) return 0;
        values *= view.shape[axis];
    }
    return values == count ? (uint64_t)(uintptr_t)view.data + view.offset : 0;
}

/* What is asked of a list of tensors again and again: how to take one out of Python's list, how torch says what it is, what stands for
   an absent one, how many there are, and the rest as each function has it. */
typedef void *Item(void *list, intptr_t place);
typedef struct {
    Item *item;
    Reader *read;
    const void *none;
    int64_t count;
    const int64_t *sizes; /* of `places_of`: values of each */
    uint64_t *places;     /* where it writes their addresses */
    const int64_t *plan;  /* of `copy_tensors`: the lines of `copy_row` */
} Question;

void norms_of(const uint64_t *from, const int64_t *sizes, int64_t count, float *out);

/* Finds where the tensors in a list of Python's lie, and writes their L2 norms where `norms` is given. Returns 0, or 1 where one is
   absent or not C's to read (torch may then have left a Python error). The caller holds the interpreter's lock, and the list. */
int64_t places_of(void *tensors, const Question *asked, float *norms) {
    for (int64_t i = 0; i < asked->count; i++) {
        void *one = asked->item(tensors, i);
        if (!one || one == asked->none) return 1;
        asked->places[i] = place_of(one, asked->read, asked->sizes[i]);
        if (!asked->places[i]) return 1;
    }
    if (norms) norms_of(asked->places, asked->sizes, asked->count, norms);
    return 0;
}

/* `copy_row` of tensors in a list of Python's; 1 where one is not C's to read, and then nothing was copied. */
#define MOST_ENTRIES 64
int64_t copy_tensors(void *tensors, const Question *asked, int64_t row) {
    uint64_t from[MOST_ENTRIES];
    if (asked->count > MOST_ENTRIES) return 1;
    for (int64_t i = 0; i < asked->count; i++) {
        void *one = asked->item(tensors, i);
        from[i] = one ? place_of(one, asked->read, asked->plan[3 * i + 2] / (int64_t)sizeof(float)) : 0;
        if (!from[i]) return 1;
    }
    return copy_row(from, asked->plan, asked->count, row);
}

static const float *value_at(const uint64_t *from, int64_t i) { return (const float *)(uintptr_t)from[i]; }

/* The next functions read `count` tensors of `sizes` values each, by their addresses. */

/* The L2 norm of each. */
WIDE void norms_of(const uint64_t *from, const int64_t *sizes, int64_t count, float *out) {
    for (int64_t p = 0; p < count; p++) {
        double squares;
        SUM(squares, value_at(from, p), sizes[p], x *x);
        out[p] = (float)sqrt(squares);
    }
}

/* Copies them one behind the other. */
void gather(const uint64_t *from, const int64_t *sizes, int64_t count, float *kept) {
    for (int64_t p = 0; p < count; kept += sizes[p], p++) memcpy(kept, value_at(from, p), (size_t)sizes[p] * sizeof *kept);
}

/* The cosine of all of them with what was kept, with torch's guard against a zero norm. */
WIDE float cosine_with(const uint64_t *from, const int64_t *sizes, int64_t count, const float *kept) {
    double product[LANES] = {0}, own[LANES] = {0}, other[LANES] = {0};
    for (int64_t p = 0; p < count; kept += sizes[p], p++) {
        const float *now = value_at(from, p);
        ADD(product, now, kept, sizes[p], x * y);
        ADD(own, now, now, sizes[p], x * y);
        ADD(other, kept, kept, sizes[p], x * y);
    }
    double one = sqrt(total(own)), two = sqrt(total(other));
    if (one < 1e-8) one = 1e-8;
    if (two < 1e-8) two = 1e-8;
    return (float)(total(product) / one / two);
}

/* For each the L2 norm of its difference from what was kept, and its own: out is (2, count). */
WIDE void changes_of(const uint64_t *from, const int64_t *sizes, int64_t count, const float *kept, float *out) {
    for (int64_t p = 0; p < count; kept += sizes[p], p++) {
        const float *now = value_at(from, p);
        double moved[LANES] = {0}, whole[LANES] = {0};
        ADD(moved, now, kept, sizes[p], (double)(float)(x - y) * (double)(float)(x - y));
        ADD(whole, now, now, sizes[p], x * y);
        out[p] = (float)sqrt(total(moved));
        out[count + p] = (float)sqrt(total(whole));
    }
}

/* Mean, standard deviation and quantiles of each row, out is (2 + quantiles, rows); `ordered` holds the same rows sorted.
   places: for each quantile the index below it, shares: the share of the way to the next. */
void moments(const float *values, int64_t stride, const float *ordered, int64_t ordered_stride, int64_t rows, int64_t width,
             const int64_t *places, const double *shares, int64_t quantiles, float *out) {
    for (int64_t r = 0; r < rows; r++) {
        const float *row = values + r * stride, *sorted = ordered + r * ordered_stride;
        double sum, squares;
        SUM(sum, row, width, x);
        const double centre = sum / (double)width;
        SUM(squares, row, width, (x - centre) * (x - centre));
        out[r] = (float)centre;
        out[rows + r] = (float)sqrt(squares / (double)width);
        for (int64_t q = 0; q < quantiles; q++) {
            /* from the nearer end, as torch's lerp: an infinity on the far side then stays where it is */
            const double low = sorted[places[q]], share = shares[q];
            const double high = share == 0 ? low : sorted[places[q] + 1];
            out[(2 + q) * rows + r] = (float)(share == 0 ? low : share < 0.5 ? low + share * (high - low) : high - (high - low) * (1 - share));
        }
    }
}

static double sigmoid(double x) {
    const double e = exp(-fabs(x));
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

static double log_sigmoid(double x) { return (x < 0 ? x : 0) - log1p(exp(-fabs(x))); }

/* Means of sign(x), a NaN's sign being 0 as torch has it. */
void sign_means(const float *values, int64_t stride, int64_t rows, int64_t width, float *out) {
    for (int64_t r = 0; r < rows; r++) {
        double sum;
        SUM(sum, values + r * stride, width, (x > 0) - (x < 0));
        out[r] = (float)(sum / (double)width);
    }
}

void sigmoid_means(const float *values, int64_t stride, int64_t rows, int64_t width, float *out) {
    for (int64_t r = 0; r < rows; r++) {
        double sum;
        SUM(sum, values + r * stride, width, sigmoid(x));
        out[r] = (float)(sum / (double)width);
    }
}

/* Means of log sigmoid(direction x). */
void log_sigmoid_means(const float *values, int64_t stride, int64_t rows, int64_t width, double direction, float *out) {
    for (int64_t r = 0; r < rows; r++) {
        double sum;
        SUM(sum, values + r * stride, width, log_sigmoid(direction * x));
        out[r] = (float)(sum / (double)width);
    }
}

static int all_finite(const float *values, int64_t count) {
    double zero;
    SUM(zero, values, count, x * 0);
    return zero == 0;
}

/* AUC (ties half), accuracy at 0, Kolmogorov-Smirnov and Wasserstein-1 of sorted rows: out is (4, rows), NaN where a value of the row
   is not finite. */
void separation(const float *reals, int64_t real_stride, int64_t n, const float *fakes, int64_t fake_stride, int64_t m,
                int64_t rows, float *out) {
    for (int64_t r = 0; r < rows; r++) {
        const float *real = reals + r * real_stride, *fake = fakes + r * fake_stride;
        if (!all_finite(real, n) || !all_finite(fake, m)) {
            for (int k = 0; k < 4; k++) out[k * rows + r] = NAN;
            continue;
        }
        int64_t below = 0, up_to = 0, wins = 0, widest = 0, right = 0;
        for (int64_t i = 0; i < n; i++) {
            while (below < m && fake[below] < real[i]) below++;
            while (up_to < m && fake[up_to] <= real[i]) up_to++;
            wins += below + up_to;
            const int64_t above = (i + 1) * m - up_to * n, under = below * n - i * m;
            if (above > widest) widest = above;
            if (under > widest) widest = under;
            right += real[i] > 0;
        }
        for (int64_t j = 0; j < m; j++) right += fake[j] < 0;
        double distance = 0;
        if (n == m) {
            for (int64_t i = 0; i < n; i++) distance += fabs((double)real[i] - fake[i]);
            distance /= (double)n;
        } else {
            int64_t i = 0, j = 0, at = 0; /* of n m shares of the probability */
            while (i < n && j < m) {
                const int64_t next = (i + 1) * m < (j + 1) * n ? (i + 1) * m : (j + 1) * n;
                distance += fabs((double)real[i] - fake[j]) * (double)(next - at);
                at = next;
                if (at == (i + 1) * m) i++;
                if (at == (j + 1) * n) j++;
            }
            distance /= (double)n * (double)m;
        }
        out[r] = (float)((double)wins / (2.0 * (double)n * (double)m));
        out[rows + r] = (float)((double)right / (double)(n + m));
        out[2 * rows + r] = (float)((double)widest / ((double)n * (double)m));
        out[3 * rows + r] = (float)distance;
    }
}

/* Counts of sorted values between edges, below the first and from the last on; NaN, which stand last, are not counted: (rows, edges + 1). */
void histogram(const float *ordered, int64_t stride, int64_t rows, int64_t width, const float *edges, int64_t count, float *out) {
    for (int64_t r = 0; r < rows; r++) {
        const float *row = ordered + r * stride;
        float *counts = out + r * (count + 1);
        int64_t i = 0;
        for (int64_t e = 0; e < count; e++) {
            const int64_t before = i;
            while (i < width && row[i] < edges[e]) i++;
            counts[e] = (float)(i - before);
        }
        const int64_t before = i;
        while (i < width && row[i] == row[i]) i++;
        counts[count] = (float)(i - before);
    }
}

/* Expected calibration error of sigmoid(logit) between inner edges (of logits) on sorted rows: (rows,), NaN where a value is not finite. */
void calibration(const float *reals, int64_t real_stride, int64_t n, const float *fakes, int64_t fake_stride, int64_t m, int64_t rows,
                 const float *edges, int64_t count, float *out) {
    for (int64_t r = 0; r < rows; r++) {
        const float *real = reals + r * real_stride, *fake = fakes + r * fake_stride;
        if (!all_finite(real, n) || !all_finite(fake, m)) {
            out[r] = NAN;
            continue;
        }
        int64_t i = 0, j = 0;
        double error = 0;
        for (int64_t e = 0; e <= count; e++) {
            double real_mass = 0, fake_mass = 0;
            const int64_t first = i;
            for (; i < n && (e == count || real[i] < edges[e]); i++) real_mass += sigmoid(real[i]);
            for (; j < m && (e == count || fake[j] < edges[e]); j++) fake_mass += sigmoid(fake[j]);
            error += fabs(real_mass / (double)n + fake_mass / (double)m - (double)(i - first) / (double)n);
        }
        out[r] = (float)(error / 2);
    }
}

/* Sums of rows, sums of their sizes, L2 norms: out is (3, rows). */
WIDE void totals(const float *values, int64_t stride, int64_t rows, int64_t width, float *out) {
    for (int64_t r = 0; r < rows; r++) {
        double sum, sizes, squares;
        SUM(sum, values + r * stride, width, x);
        SUM(sizes, values + r * stride, width, fabs(x));
        SUM(squares, values + r * stride, width, x *x);
        out[r] = (float)sum;
        out[rows + r] = (float)sizes;
        out[2 * rows + r] = (float)sqrt(squares);
    }
}

/* Mean, standard deviation, least and greatest of all values; NaN comes through. */
void range(const float *values, int64_t count, float *out) {
    double sum, squares;
    SUM(sum, values, count, x);
    const double centre = sum / (double)count;
    SUM(squares, values, count, (x - centre) * (x - centre));
    out[0] = (float)centre;
    out[1] = (float)sqrt(squares / (double)count);
    if (sum != sum) { /* a NaN among them, or infinities of both signs */
        int64_t i = 0;
        while (i < count && values[i] == values[i]) i++;
        if (i < count) {
            out[2] = out[3] = NAN;
            return;
        }
    }
    float low[LANES], high[LANES];
    for (int lane = 0; lane < LANES; lane++) low[lane] = INFINITY, high[lane] = -INFINITY;
    int64_t whole = count - count % LANES, i = 0;
    for (; i < whole; i += LANES)
        for (int lane = 0; lane < LANES; lane++) {
            const float x = values[i + lane];
            low[lane] = x < low[lane] ? x : low[lane];
            high[lane] = x > high[lane] ? x : high[lane];
        }
    for (; i < count; i++) {
        if (values[i] < low[0]) low[0] = values[i];
        if (values[i] > high[0]) high[0] = values[i];
    }
    for (int lane = 1; lane < LANES; lane++) {
        if (low[lane] < low[0]) low[0] = low[lane];
        if (high[lane] > high[0]) high[0] = high[lane];
    }
    out[2] = low[0];
    out[3] = high[0];
}

/* Means of the channels of (n, channels, each). */
void channel_means(const float *values, int64_t n, int64_t channels, int64_t each, float *out) {
    for (int64_t c = 0; c < channels; c++) {
        double whole = 0;
        if (each == 1)
            for (int64_t k = 0; k < n; k++) whole += values[k * channels + c];
        else
            for (int64_t k = 0; k < n; k++) {
                double sum;
                SUM(sum, values + (k * channels + c) * each, each, x);
                whole += sum;
            }
        out[c] = (float)(whole / ((double)n * (double)each));
    }
}

/* Mean Euclidean distance over all pairs of n points of d <= 64 dimensions, and the participation ratio of their covariance. */
#define MOST_DIMENSIONS 64
#define MOST_PAIRED 256
WIDE int64_t spread(const float *points, int64_t n, int64_t d, float *out) {
    if (d < 1 || d > MOST_DIMENSIONS) return 1;
    double centre[MOST_DIMENSIONS] = {0}, trace = 0, whole = 0;
    for (int64_t a = 0; a < n; a++)
        for (int64_t k = 0; k < d; k++) centre[k] += points[a * d + k];
    for (int64_t k = 0; k < d; k++) centre[k] /= (double)n;
    for (int64_t k = 0; k < d; k++)
        if (!isfinite(centre[k])) {
            out[0] = out[1] = NAN;
            return 0;
        }
    double distances[LANES] = {0};
    for (int64_t a = 0; a < n; a++) {
        const float *one = points + a * d;
        int64_t b = a + 1;
        for (; b + LANES <= n; b += LANES) {
            double squares[LANES] = {0};
            for (int64_t k = 0; k < d; k++)
                for (int lane = 0; lane < LANES; lane++) {
                    const double gap = (double)one[k] - points[(b + lane) * d + k];
                    squares[lane] += gap * gap;
                }
            for (int lane = 0; lane < LANES; lane++) distances[lane] += sqrtf((float)squares[lane]);
        }
        for (; b < n; b++) {
            double squares = 0;
            for (int64_t k = 0; k < d; k++) {
                const double gap = (double)one[k] - points[b * d + k];
                squares += gap * gap;
            }
            distances[0] += sqrtf((float)squares);
        }
    }
    const double pairs = (double)n * (double)(n - 1) / 2;
    out[0] = (float)(total(distances) / (pairs > 0 ? pairs : 1));
    for (int64_t k = 0; k < d; k++)
        for (int64_t l = 0; l <= k; l++) {
            double sum = 0;
            for (int64_t a = 0; a < n; a++) sum += (points[a * d + k] - centre[k]) * (points[a * d + l] - centre[l]);
            whole += (k == l ? 1 : 2) * sum * sum;
            if (k == l) trace += sum;
        }
    out[1] = whole == 0 ? 1 : (float)(trace * trace / whole);
    return 0;
}

/* The share of values that are equal. */
float equal_share(const float *one, const float *other, int64_t count) {
    int64_t same = 0;
    for (int64_t i = 0; i < count; i++) same += one[i] == other[i];
    return (float)((double)same / (double)count);
}

/* How many of the pairs (one row of `now`, one of `before`) hold the same bits: by a whole number a row, the sum of its bits times odd
   numbers, as the torch twin takes it. Rows beyond MOST_ROWS are not looked at. */
#define MOST_ROWS 256
int64_t equal_pairs(const float *now, const float *before, int64_t rows, int64_t width, const int64_t *odd) {
    uint64_t marks[2][MOST_ROWS];
    int64_t same = 0;
    if (rows > MOST_ROWS) rows = MOST_ROWS;
    for (int side = 0; side < 2; side++)
        for (int64_t r = 0; r < rows; r++) {
            uint64_t mark = 0;
            for (int64_t k = 0; k < width; k++) {
                int32_t bits;
                memcpy(&bits, (side ? before : now) + r * width + k, sizeof bits);
                mark += (uint64_t)(int64_t)bits * (uint64_t)odd[k];
            }
            marks[side][r] = mark;
        }
    for (int64_t a = 0; a < rows; a++)
        for (int64_t b = 0; b < rows; b++) same += marks[0][a] == marks[1][b];
    return same;
}

static inline double gap_between(const float *one, const float *other, int64_t d) {
    double squares = 0;
    for (int64_t k = 0; k < d; k++) {
        const double gap = (double)one[k] - other[k];
        squares += gap * gap;
    }
    return sqrt(squares);
}

/* How near `n` fakes lie to `n` reals, points of d dimensions: the energy coefficient 1 - (within reals + within fakes) / (2 across), and the mean
   distance of each fake to the nearest real, and of each real to the nearest fake, over that of the reals to their nearest different real. */
WIDE int64_t nearness(const float *real, const float *fake, int64_t n, int64_t d, float *out) {
    if (d < 1 || n < 2 || n > MOST_PAIRED) return 1;
    double across = 0, within = 0, to_real = 0, to_fake = 0, own = 0, nearest[MOST_PAIRED], same[MOST_PAIRED];
    int64_t with_neighbour = 0;
    out[0] = out[1] = out[2] = NAN;
    for (int64_t i = 0; i < n * d; i++)
        if (!isfinite(real[i]) || !isfinite(fake[i])) return 0;
    for (int64_t b = 0; b < n; b++) nearest[b] = same[b] = INFINITY;
    for (int64_t a = 0; a < n; a++) {
        double least = INFINITY;
        for (int64_t b = 0; b < n; b++) {
            const double gap = gap_between(fake + a * d, real + b * d, d);
            across += gap;
            if (gap < least) least = gap;
            if (gap < nearest[b]) nearest[b] = gap;
        }
        to_real += least;
        for (int64_t b = a + 1; b < n; b++) {
            const double mine = gap_between(real + a * d, real + b * d, d);
            within += mine + gap_between(fake + a * d, fake + b * d, d);
            if (mine > 0 && mine < same[a]) same[a] = mine;
            if (mine > 0 && mine < same[b]) same[b] = mine;
        }
    }
    for (int64_t b = 0; b < n; b++) {
        to_fake += nearest[b];
        if (isfinite(same[b])) {
            own += same[b];
            with_neighbour++;
        }
    }
    const double unit = own / (double)with_neighbour * (double)n;
    out[0] = (float)(1 - within / ((double)n * (double)(n - 1) / 2) / (2 * across / ((double)n * (double)n)));
    out[1] = (float)(to_real / unit);
    out[2] = (float)(to_fake / unit);
    return 0;
}

/* All of a batch in one call: range, spread (of `pairs` points of `dimensions`, which lie at `points`), where there is one before it the shares of
   values that repeat it and of pairs of rows that do, and the channels' means (none where `channels` is 0). Returns 1 where `spread` does. */
int64_t batch_facts(const float *batch, int64_t count, const float *points, int64_t pairs, int64_t dimensions, const float *before,
                    int64_t compared, int64_t rows, int64_t width, const int64_t *odd, int64_t samples, int64_t channels, float *out) {
    range(batch, count, out);
    if (spread(points, pairs, dimensions, out + 4)) return 1;
    if (before) out[6] = equal_share(batch, before, compared);
    if (before && rows > 0) out[7] = (float)((double)equal_pairs(batch, before, rows, width, odd) / ((double)rows * (double)rows));
    if (channels) channel_means(batch, samples, channels, count / (samples * channels), out + 8);
    return 0;
}
