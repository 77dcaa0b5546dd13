// The forward kernels: all directions of a round in one launch, each writing its own plane of h, then their maximum.

struct Forward {
    const X_TYPE* x;
    const G_TYPE* guidance;
    void* h;      // (image, direction, ...) of REAL where `in_full`, else of X_TYPE
    REAL* carry;  // of `forward_long`, where shared memory is too small for two lines; else null
    Scans scans;
    Strides x_strides, g_strides, h_strides;
    Int in_full;
};

#if !defined(ON_CPU) && __CUDA_ARCH__ >= 1000
constexpr int LINES = GROUP / 2;  // at once; GROUP lines would spill registers there
#else
constexpr int LINES = GROUP;
#endif

// A position a thread: lines of at most blockDim.x / side pixels.
KERNEL(forward, Forward, FORWARD_THREADS) {
    SHARED(cells);
    Place place(p.scans, false);
    int side = (int)p.scans.side, normalise = (int)p.scans.normalise, lines = place.lines;
    bool three = p.scans.taps == 3, active = place.row < place.length;
    bool has_before = three && place.row > 0, has_after = three && place.row < place.length - 1;
    Lane<LINES> x(p.x, p.x_strides, place), g(p.guidance, p.g_strides, place);
    Lane<LINES> h(p.h, p.in_full ? sizeof(REAL) : sizeof(X_TYPE), p.h_strides, place);
    const G_TYPE *centre = p.guidance + (three ? p.g_strides.tap : 0), *last_tap = centre + p.g_strides.tap;

    int pitch = blockDim.x + 2 * side;
    REAL *even = cells + side + threadIdx.x, *odd = even + pitch;
    clear(cells, 2 * pitch);

    X_TYPE raw_x[LINES] = {};
    G_TYPE raw_a[LINES] = {}, raw_b[LINES] = {}, raw_c[LINES] = {};
    int count = active ? lines : 0;  // of this thread's lines that are yet to come
    auto load = [&](int coming) {
        x.load(raw_x, p.x, coming);
        g.load(raw_b, centre, coming);
        if (three) {
            g.load(raw_a, p.guidance, coming);
            g.load(raw_c, last_tap, coming);
        }
    };
    load(count);
    REAL state = 0;
    __syncthreads();

    for (int line = 0; line < lines; line += LINES) {
        REAL before[LINES], own[LINES], after[LINES], value[LINES];
#pragma unroll
        for (int j = 0; j < LINES; j++) {
            bool fed = j > 0 || line > 0;
            Gates gates(fed && has_before ? widened(raw_a[j]) : (REAL)0, fed ? widened(raw_b[j]) : (REAL)0,
                        fed && has_after ? widened(raw_c[j]) : (REAL)0, normalise);
            before[j] = gates.a, own[j] = gates.b, after[j] = gates.c;
            value[j] = gates.rest() * widened(raw_x[j]);
        }
        x.advance(), g.advance();
        load(count - LINES);
#pragma unroll
        for (int j = 0; j < LINES; j++) {  // past the last line too, where nothing is written to h
            REAL *last = j % 2 ? odd : even, *next = j % 2 ? even : odd;
            value[j] += own[j] * state;
            if (three) {
                value[j] += before[j] * last[-side] + after[j] * last[side];
                *next = value[j];
                __syncthreads();
            }
            state = value[j];
        }
        if (p.in_full)
            h.store(value, (REAL*)p.h, count);
        else
            h.store(value, (X_TYPE*)p.h, count);
        h.advance();
        count -= LINES;
    }
}

// Any length: a thread takes positions one after the other, and two lines lie in shared or device memory.
KERNEL(forward_long, Forward, LONG_THREADS) {
    SHARED(cells);
    Place place(p.scans, false);
    int side = (int)p.scans.side, normalise = (int)p.scans.normalise, length = place.length;
    bool three = p.scans.taps == 3;
    int first = place.row, rows = blockDim.x / side, lane = threadIdx.x % side, pitch = (length + 2) * side;
    REAL* carried = p.carry ? p.carry + (Int)blockIdx.x * 2 * pitch : cells;
    place.row = 0;
    const X_TYPE* x = p.x + place.first(p.x_strides);
    const G_TYPE* g = p.guidance + place.first(p.g_strides);
    Int h = place.first(p.h_strides), centre = three ? p.g_strides.tap : 0;
    Int x_row = place.row_step(p.x_strides), g_row = place.row_step(p.g_strides), h_row = place.row_step(p.h_strides);
    clear(carried, 2 * pitch);
    __syncthreads();

    for (int line = 0; line < place.lines; line++) {
        REAL* last = carried + line % 2 * pitch + side + lane;
        REAL* next = carried + (1 - line % 2) * pitch + side + lane;
        for (int start = first; start < length; start += GROUP * rows) {
            X_TYPE raw_x[GROUP] = {};
            G_TYPE raw_a[GROUP] = {}, raw_b[GROUP] = {}, raw_c[GROUP] = {};
#pragma unroll
            for (int j = 0; j < GROUP; j++) {  // all loads on their way before the first is waited for
                int row = start + j * rows;
                if (row < length) {
                    raw_x[j] = x[row * x_row];
                    raw_b[j] = g[row * g_row + centre];
                    if (three) raw_a[j] = g[row * g_row], raw_c[j] = g[row * g_row + 2 * centre];
                }
            }
#pragma unroll
            for (int j = 0; j < GROUP; j++) {
                int row = start + j * rows;
                if (row < length) {
                    Gates gates(line > 0 && three && row > 0 ? widened(raw_a[j]) : (REAL)0,
                                line > 0 ? widened(raw_b[j]) : (REAL)0,
                                line > 0 && three && row < length - 1 ? widened(raw_c[j]) : (REAL)0, normalise);
                    REAL* source = last + row * side;
                    REAL value = gates.rest() * widened(raw_x[j]) + gates.b * source[0];
                    value += gates.a * source[-side] + gates.c * source[side];
                    next[row * side] = value;
                    if (p.in_full)
                        ((REAL*)p.h)[h + row * h_row] = value;
                    else
                        narrow(((X_TYPE*)p.h)[h + row * h_row], value);
                }
            }
        }
        x += place.line_step(p.x_strides);
        g += place.line_step(p.g_strides);
        h += place.line_step(p.h_strides);
        __syncthreads();
    }
}

struct Merge {
    const void* h;          // (image, direction, pixel) of REAL where `choice` is kept, else of X_TYPE
    X_TYPE* out;            // (image, pixel)
    unsigned char* choice;  // which direction was the maximum; or null
    Int size, directions;   // pixels of an image, all channels counted
};

template <class T>
__device__ __forceinline__ void merge_of(const T* h, const Merge& p) {
    int blocks = (int)((p.size + GROUP * MERGE_THREADS - 1) / (GROUP * MERGE_THREADS));  // of an image
    Int image = (int)blockIdx.x / blocks, pixel = ((Int)((int)blockIdx.x % blocks) * MERGE_THREADS + threadIdx.x) * GROUP;
    bool packed = p.size % GROUP == 0;
    h += image * p.directions * p.size + pixel;
    Int to = image * p.size + pixel;
    if (pixel >= p.size) return;
    Pack<X_TYPE> best;
    Pack<unsigned char> chosen;
    REAL most[GROUP];
    for (int i = 0; i < p.directions; i++, h += p.size) {
        Pack<T> raw = {};
        if (packed)
            raw = *(const Pack<T>*)h;
        else
#pragma unroll
            for (int j = 0; j < GROUP; j++)
                if (pixel + j < p.size) raw.of[j] = h[j];
#pragma unroll
        for (int j = 0; j < GROUP; j++) {
            REAL value = widened(raw.of[j]);
            // where directions tie, the first keeps the maximum and takes the gradient
            if (i == 0 || value > most[j]) most[j] = value, chosen.of[j] = (unsigned char)i;
        }
    }
#pragma unroll
    for (int j = 0; j < GROUP; j++) narrow(best.of[j], most[j]);
    if (packed) {
        *(Pack<X_TYPE>*)(p.out + to) = best;
        if (p.choice) *(Pack<unsigned char>*)(p.choice + to) = chosen;
    } else {
#pragma unroll
        for (int j = 0; j < GROUP; j++)
            if (pixel + j < p.size) {
                p.out[to + j] = best.of[j];
                if (p.choice) p.choice[to + j] = chosen.of[j];
            }
    }
}

KERNEL(merge, Merge, MERGE_THREADS) {
    if (p.choice)
        merge_of((const REAL*)p.h, p);
    else
        merge_of((const X_TYPE*)p.h, p);
}
