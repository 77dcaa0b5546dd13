// The forward kernels: all directions of a round in one launch, each writing its own plane of h, then their maximum.

struct Forward {
    const X_TYPE* x;
    const G_TYPE* guidance;
    void* h;                // (image, direction, ...) of REAL where `in_full`, else of X_TYPE
    const REAL* carry_in;   // the last line of the launch before; null in the first
    REAL* carry_out;        // the last line of this launch; null in the last
    Scans scans;
    Strides x_strides, g_strides, h_strides;
    Int in_full;
};

KERNEL(forward, Forward, FORWARD_THREADS) {
    constexpr int M = FORWARD_POSITIONS, G = FORWARD_LINES;
    SHARED(cells);
    Place<M> place(p.scans, false);
    if (place.count <= 0) return;  // all of the block
    bool three = p.scans.taps == 3;
    REAL most = Gates::most((int)p.scans.normalise);
    Neighbours<1> neighbours(cells, place.side);
    Tile<M, G> x(p.x, p.x_strides, place), g(p.guidance, p.g_strides, place);
    Tile<M, G> h(p.h, p.in_full ? sizeof(REAL) : sizeof(X_TYPE), p.h_strides, place);
    Int taps = three ? p.g_strides.tap : 0;

    X_TYPE raw_x[1][G][M] = {};
    G_TYPE raw_g[3][G][M] = {};  // taps that are missing stay 0
    REAL state[M] = {};
    if (p.carry_in) place.take(state, p.carry_in);
    // in the first turn the first lines are loaded; in each further one the next, while these are worked on
    for (int line = -G, count = place.count + G; count > 0; line += G, count -= G) {
        REAL before[G][M], own[G][M], after[G][M], value[1][G][M];
#pragma unroll
        for (int j = 0; j < G; j++)
#pragma unroll
            for (int m = 0; m < M; m++) {
                bool fed = j > 0 || place.start + line > 0;
                Gates gates(fed && place.has_before(m) ? widened(raw_g[0][j][m]) : (REAL)0,
                            fed ? widened(raw_g[1][j][m]) : (REAL)0,
                            fed && place.has_after(m) ? widened(raw_g[2][j][m]) : (REAL)0, most);
                before[j][m] = gates.a, own[j][m] = gates.b, after[j][m] = gates.c;
                value[0][j][m] = gates.rest() * widened(raw_x[0][j][m]);
            }
        x.load(raw_x, p.x, 0, true, count - G, place.held);
        g.load(raw_g, p.guidance + taps, taps, three, count - G, place.held);
        x.advance(), g.advance();
        if (line < 0) continue;
#pragma unroll
        for (int j = 0; j < G; j++) {  // past the last line too, where nothing is written out
            REAL(&next)[M] = value[0][j];
            Told<1> told = {{state[M - 1]}, {state[0]}};
            if (three) told = neighbours.exchange(G % 2 ? line % 2 : j % 2, told);
#pragma unroll
            for (int m = 0; m < M; m++) {
                next[m] += own[j][m] * state[m];
                if (three) {
                    REAL lower = m > 0 ? state[m > 0 ? m - 1 : 0] : told.up.of[0];
                    REAL higher = m < M - 1 ? state[m < M - 1 ? m + 1 : 0] : told.down.of[0];
                    next[m] += before[j][m] * lower + after[j][m] * higher;
                }
            }
#pragma unroll
            for (int m = 0; m < M; m++) state[m] = next[m];
        }
        if (p.in_full)
            h.store(value, (REAL*)p.h, 0, true, count, place.kept);
        else
            h.store(value, (X_TYPE*)p.h, 0, true, count, place.kept);
        h.advance();
    }
    if (p.carry_out) place.leave(state, p.carry_out);
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
