// Everything between the matrix products of a decode step, on a CPU. cpu_kernels.py compiles this file with GCC, and
// cpu_decode.py calls it. A row's numbers are computed in the same order whatever the other rows are and however
// many threads there are, so its bits depend on neither. A row with a number that is not finite becomes NaN.

#include <stdint.h>
#include <string.h>

#define LANES 16 // floats of a vector; every width is a multiple of it
#define BLOCK 32 // positions that are attended to at once

typedef float vector __attribute__((vector_size(4 * LANES)));
typedef int32_t integers __attribute__((vector_size(4 * LANES)));
typedef uint16_t halves __attribute__((vector_size(2 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(LANES)));

// Kinds of numbers. A product that reads BFLOAT16 returns BFLOAT16; the others return FLOAT32.
enum { FLOAT32, BFLOAT16, INTEGERS, PAIRS_OF_INTEGERS };

typedef struct {
    int64_t rows;
    int64_t padded_rows; // rows of what products read; for PAIRS_OF_INTEGERS half of them
    int64_t read;        // the kind of numbers that products read
    int64_t stored;      // FLOAT32 or BFLOAT16: the kind of norms, rotations, keys and values
    int64_t heads, kv_heads, head_dim;
    int64_t slot_length;
    float epsilon;
    float *scale; // [rows]: what one integer step of the last written row is worth
    const int64_t *slots, *lengths; // [rows]
    const void *cosines, *sines;    // [positions, head_dim]
    void *queries;                  // [slot, position, head_dim] or NULL: where attend keeps the followed head's queries
    int64_t followed;               // the index of that head
} step;

static inline vector load(const void *from, int64_t at, int64_t number) {
    vector values;
    if (number == BFLOAT16) {
        halves upper;
        memcpy(&upper, (const uint16_t *)from + at, sizeof upper);
        values = (vector)(__builtin_convertvector(upper, integers) << 16);
    } else {
        memcpy(&values, (const float *)from + at, sizeof values);
    }
    return values;
}

static inline void store(void *to, int64_t at, int64_t number, vector values) {
    if (number == BFLOAT16) {
        integers bits = (integers)values;
        bits += 0x7fff + ((bits >> 16) & 1); // to the nearest, and of two to the even one
        halves upper = __builtin_convertvector(bits >> 16, halves);
        memcpy((uint16_t *)to + at, &upper, sizeof upper);
    } else {
        memcpy((float *)to + at, &values, sizeof values);
    }
}

static inline float sum(vector values) {
    for (int width = LANES / 2; width; width /= 2)
        for (int i = 0; i < width; i++) values[i] += values[i + width];
    return values[0];
}

static inline float largest(vector values) {
    for (int width = LANES / 2; width; width /= 2)
        for (int i = 0; i < width; i++) values[i] = values[i] > values[i + width] ? values[i] : values[i + width];
    return values[0];
}

static inline integers select(integers where, integers a, integers b) {
    return (where & a) | (~where & b);
}

static inline vector maximum(vector a, vector b) {
    return (vector)select(a > b, (integers)a, (integers)b);
}

static inline vector same(float value) {
    return (vector){} + value;
}

static inline vector to_nearest(vector x) { // of numbers below 2**22; of two the even one
    const float shift = 12582912.0f;
    return (x + shift) - shift;
}

static inline vector exponential(vector x) { // of x between -87 and 88, and of the nearer of the two for other numbers
    x = -maximum(-maximum(x, same(-87)), same(-88));
    vector n = to_nearest(x * 1.44269504f);
    vector r = x - n * 0.693359375f + n * 2.12194440e-4f; // x - n log 2
    vector p = 1.9875691500e-4f + (vector){};
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    return p * (vector)((__builtin_convertvector(n, integers) + 127) << 23); // times 2**n
}

// Returns LANES numbers of row `row` of what a product with n columns returned.
static inline vector product(const step *s, const void *of, int64_t row, int64_t n, int64_t at) {
    if (s->read == BFLOAT16) return load(of, row * n + at, BFLOAT16);
    vector values = load(of, row * n + at, FLOAT32);
    if (s->read == PAIRS_OF_INTEGERS) values += load(of, (row + s->padded_rows) * n + at, FLOAT32);
    return s->read == FLOAT32 ? values : values * s->scale[row];
}

// Writes n numbers of the kind `number` as row `row`. The largest magnitude gives an integer step's value. The integers
// lie around 128. The two of a pair add up to such an integer, and neither is above 128.
static void write(const step *s, void *to, int64_t row, int64_t n, const float *values, int64_t number) {
    if (number == FLOAT32 || number == BFLOAT16) {
        for (int64_t i = 0; i < n; i += LANES) store(to, row * n + i, number, load(values, i, FLOAT32));
        return;
    }
    vector most = same(1.17549435e-38f), odd = {}; // 0, or NaN where x is not finite
    for (int64_t i = 0; i < n; i += LANES) {
        vector x = load(values, i, FLOAT32);
        most = maximum(most, maximum(x, -x));
        odd += x * 0;
    }
    float scale = s->scale[row] = largest(most) / 127 + sum(odd);
    uint8_t *first = (uint8_t *)to + row * n, *second = first + s->padded_rows * n;
    for (int64_t i = 0; i < n; i += LANES) {
        integers whole = __builtin_convertvector(to_nearest(load(values, i, FLOAT32) / scale), integers) + 128;
        integers low = number == PAIRS_OF_INTEGERS ? select(whole < 127, whole, (integers){} + 127) : whole;
        bytes first_bytes = __builtin_convertvector(low, bytes), rest = __builtin_convertvector(whole - low, bytes);
        memcpy(first + i, &first_bytes, sizeof first_bytes);
        if (number == PAIRS_OF_INTEGERS) memcpy(second + i, &rest, sizeof rest);
    }
}

// Adds `added` (what a product returned, or NULL) to x [rows, n], and writes the norm (RMSNorm) of x to `to`, as numbers
// of the kind `number`.
void add_and_norm(const step *s, int64_t n, float *x, const void *added, const void *weight, void *to, int64_t number) {
#pragma omp parallel for if (s->rows > 3) // fewer rows take less time than handing them to threads
    for (int64_t row = 0; row < s->rows; row++) {
        float *of = x + row * n, normed[n];
        vector squares = {};
        for (int64_t i = 0; i < n; i += LANES) {
            vector values = load(of, i, FLOAT32);
            if (added) {
                values += product(s, added, row, n, i);
                store(of, i, FLOAT32, values);
            }
            squares += values * values;
        }
        float factor = 1 / __builtin_sqrtf(sum(squares) / n + s->epsilon);
        for (int64_t i = 0; i < n; i += LANES)
            store(normed, i, FLOAT32, load(of, i, FLOAT32) * factor * load(weight, i, s->stored));
        write(s, to, row, n, normed, number);
    }
}

// Writes silu(gate) * up to `to` [rows, n]. gate_up [rows, 2 n] is what a product returned.
void silu_times(const step *s, int64_t n, const void *gate_up, void *to) {
#pragma omp parallel for if (s->rows > 1)
    for (int64_t row = 0; row < s->rows; row++) {
        float values[n];
        for (int64_t i = 0; i < n; i += LANES) {
            vector gate = product(s, gate_up, row, 2 * n, i);
            store(values, i, FLOAT32, gate / (exponential(-gate) + 1) * product(s, gate_up, row, 2 * n, n + i));
        }
        write(s, to, row, n, values, s->read);
    }
}

// Reads head `head` of row `row` from qkv, and rotates it by its position.
static void rotated(const step *s, const void *qkv, int64_t row, int64_t head, float *to) {
    int64_t d = s->head_dim, n = (s->heads + 2 * s->kv_heads) * d, at = s->lengths[row] * d;
    float plain[d];
    for (int64_t i = 0; i < d; i += LANES) store(plain, i, FLOAT32, product(s, qkv, row, n, head * d + i));
    memcpy(to, plain + d / 2, sizeof(float) * (d / 2));
    memcpy(to + d / 2, plain, sizeof(float) * (d / 2));
    for (int64_t i = 0; i < d; i += LANES)
        store(to, i, FLOAT32, load(plain, i, FLOAT32) * load(s->cosines, at + i, s->stored)
                                  + load(to, i, FLOAT32) * load(s->sines, at + i, s->stored));
}

// Adds the halves of each run of 2 * width lanes of a, and of b. The first half of the result is from a.
static inline __attribute__((always_inline)) vector fold(vector a, vector b, int width) {
    integers lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    integers low = (lane & -width) * 2 + (lane & (width - 1));
    return __builtin_shuffle(a, b, low) + __builtin_shuffle(a, b, low + width);
}

// Returns the sums of the lanes of LANES vectors.
static inline vector sums_of(vector *v) {
    for (int i = 0; i < 8; i++) v[i] = fold(v[2 * i], v[2 * i + 1], 8);
    for (int i = 0; i < 4; i++) v[i] = fold(v[2 * i], v[2 * i + 1], 4);
    for (int i = 0; i < 2; i++) v[i] = fold(v[2 * i], v[2 * i + 1], 2);
    return fold(v[0], v[1], 1);
}

// Writes the products of a query with n keys, times `scale`, to `scores` [BLOCK]; behind them it writes -inf. Returns 0,
// or NaN if a product is not finite.
static float score(const float *query, const float *keys, int64_t n, int64_t d, float scale, float *scores) {
    vector odd = {};
    for (int64_t first = 0; first < n; first += LANES) {
        vector sums[LANES] = {};
        const float *from[LANES];
        for (int t = 0; t < LANES; t++) from[t] = keys + (first + t < n ? first + t : n - 1) * d;
        for (int64_t i = 0; i < d; i += LANES)
            for (int t = 0; t < LANES; t++) sums[t] += load(query, i, FLOAT32) * load(from[t], i, FLOAT32);
        vector products = sums_of(sums) * scale;
        odd += products * 0;
        store(scores, first, FLOAT32, products);
    }
    for (int64_t t = n; t < BLOCK; t++) scores[t] = -__builtin_inff();
    return sum(odd);
}

// Returns the sum of n vectors, each times its weight. They are d floats apart.
static vector weighted(const float *weights, const float *values, int64_t n, int64_t d) {
    vector sums[4] = {}; // four, since each addition waits for the one before it
    int64_t t = 0;
    for (; t + 4 <= n; t += 4)
        for (int i = 0; i < 4; i++) sums[i] += weights[t + i] * load(values, (t + i) * d, FLOAT32);
    for (; t < n; t++) sums[0] += weights[t] * load(values, t * d, FLOAT32);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Returns n numbers from `from` on as floats; `space` is there for them.
static const float *floats(const void *from, int64_t at, int64_t n, int64_t number, float *space) {
    if (number == FLOAT32) return (const float *)from + at;
    for (int64_t i = 0; i < n; i += LANES) store(space, i, FLOAT32, load(from, at + i, number));
    return space;
}

// Attends with the queries [group, d] over the first n positions of one head's keys and values, which begin at the
// number `begin`. The softmax is computed over a block of positions at a time (as in FlashAttention).
static void attend_head(const step *s, const float *queries, const void *keys, const void *values, int64_t begin,
                        int64_t n, float *to) {
    int64_t d = s->head_dim, group = s->heads / s->kv_heads;
    float weights[BLOCK], most[group], total[group], space[2][BLOCK * d];
    for (int64_t g = 0; g < group; g++) most[g] = -__builtin_inff(), total[g] = 0;
    memset(to, 0, sizeof(float) * group * d);
    for (int64_t first = 0; first < n; first += BLOCK) {
        int64_t m = n - first < BLOCK ? n - first : BLOCK, at = begin + first * d;
        const float *some_keys = floats(keys, at, m * d, s->stored, space[0]);
        const float *some_values = floats(values, at, m * d, s->stored, space[1]);
        for (int64_t g = 0; g < group; g++) {
            float odd = score(queries + g * d, some_keys, m, d, 1 / __builtin_sqrtf(d), weights);
            vector highest = same(most[g]), sums = {};
            for (int64_t t = 0; t < BLOCK; t += LANES) highest = maximum(highest, load(weights, t, FLOAT32));
            float now = largest(highest), factor = exponential(same(most[g] - now))[0];
            for (int64_t t = 0; t < BLOCK; t += LANES) {
                vector weight = exponential(load(weights, t, FLOAT32) - now);
                store(weights, t, FLOAT32, weight);
                sums += weight;
            }
            most[g] = now;
            total[g] = total[g] * factor + sum(sums) + odd;
            for (int64_t i = 0; i < d; i += LANES)
                store(to, g * d + i, FLOAT32,
                      load(to, g * d + i, FLOAT32) * factor + weighted(weights, some_values + i, m, d));
        }
    }
    for (int64_t g = 0; g < group; g++)
        for (int64_t i = 0; i < d; i += LANES) store(to, g * d + i, FLOAT32, load(to, g * d + i, FLOAT32) / total[g]);
}

// Rotates queries and keys of qkv [rows, heads + 2 kv_heads, head_dim], writes keys and values to the slots' next
// positions, and attends. `keys` and `values` are one layer's, [slot, kv_head, position, head_dim]. The result of the
// attention, [rows, heads, head_dim], goes through `attended`, a float buffer of that shape, to `to`.
void attend(const step *s, const void *qkv, void *keys, void *values, float *attended, void *to) {
    int64_t d = s->head_dim, group = s->heads / s->kv_heads, all = s->heads + 2 * s->kv_heads;
#pragma omp parallel
    {
#pragma omp for collapse(2) schedule(static)
        for (int64_t row = 0; row < s->rows; row++)
            for (int64_t head = 0; head < s->kv_heads; head++) {
                float queries[group * d], key[d];
                for (int64_t g = 0; g < group; g++) rotated(s, qkv, row, head * group + g, queries + g * d);
                rotated(s, qkv, row, s->heads + head, key);
                if (s->queries && s->followed / group == head) {
                    int64_t at = (s->slots[row] * s->slot_length + s->lengths[row]) * d, from = s->followed % group * d;
                    for (int64_t i = 0; i < d; i += LANES)
                        store(s->queries, at + i, s->stored, load(queries + from, i, FLOAT32));
                }
                int64_t begin = (s->slots[row] * s->kv_heads + head) * s->slot_length * d;
                int64_t next = begin + s->lengths[row] * d, value = (s->heads + s->kv_heads + head) * d;
                for (int64_t i = 0; i < d; i += LANES) {
                    store(keys, next + i, s->stored, load(key, i, FLOAT32));
                    store(values, next + i, s->stored, product(s, qkv, row, all * d, value + i));
                }
                attend_head(s, queries, keys, values, begin, s->lengths[row] + 1,
                            attended + (row * s->heads + head * group) * d);
            }
#pragma omp for schedule(static)
        for (int64_t row = 0; row < s->rows; row++) write(s, to, row, s->heads * d, attended + row * s->heads * d, s->read);
    }
}
