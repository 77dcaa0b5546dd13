// The backward kernels: the scans of all directions run in reverse, in one launch, then the sum over the directions.
//
// Each pixel pushes its gradient along its gates to the three pixels it came from; a line thus needs only its own gates.

struct Backward {
    const X_TYPE* x;
    const G_TYPE* guidance;
    const X_TYPE* grad;
    const REAL* h;                // what `forward` saved
    const unsigned char* choice;  // which direction was the maximum
    REAL* parts;                  // (image, direction, ...): each direction's share of the gradient of x
    void* dguidance;              // of REAL where `in_full`, else of G_TYPE
    const REAL* carry_in;         // what the launch before pushed to the first line; null in the first
    REAL* carry_out;              // what this launch pushes to the next; null in the last
    Scans scans;
    Strides x_strides, g_strides, grad_strides, h_strides, choice_strides, dg_strides;
    Int in_full;
};

// G lines of M positions at once.
template <int M, int G>
__device__ __forceinline__ void backward_of(const Backward& p, REAL* cells) {
    Place<M> place(p.scans, true);
    if (place.count <= 0) return;  // all of the block
    bool three = p.scans.taps == 3;
    REAL most = Gates::most((int)p.scans.normalise);
    int sources = place.start + place.count < place.lines ? 1 : 0;  // lines of h beyond this launch's
    Neighbours<2> neighbours(cells, place.side);
    Tile<M, G> x(p.x, p.x_strides, place), grad(p.grad, p.grad_strides, place), g(p.guidance, p.g_strides, place);
    Tile<M, G> h(p.h, p.h_strides, place), choice(p.choice, p.choice_strides, place);
    Tile<M, G> parts(p.parts, p.h_strides, place);
    Tile<M, G> dg(p.dguidance, p.in_full ? sizeof(REAL) : sizeof(G_TYPE), p.dg_strides, place);
    Int taps = three ? p.g_strides.tap : 0, dg_taps = three ? p.dg_strides.tap : 0;

    X_TYPE raw_x[1][G][M] = {}, raw_grad[1][G][M] = {};
    G_TYPE raw_g[3][G][M] = {};  // taps that are missing stay 0
    REAL raw_h[1][G][M] = {};
    unsigned char raw_choice[1][G][M] = {};
    REAL pushed[M] = {};  // to these pixels, by those of the last line
    if (p.carry_in) place.take(pushed, p.carry_in);

    // in the first turn the first lines are loaded; in each further one the next, while these are worked on
    for (int line = -G, count = place.count + G; count > 0; line += G, count -= G) {
        X_TYPE this_x[G][M];
        G_TYPE this_g[3][G][M];
        REAL d_of[1][G][M], h_of[G][M], slope[3][G][M];
#pragma unroll
        for (int j = 0; j < G; j++)
#pragma unroll
            for (int m = 0; m < M; m++) {
                this_x[j][m] = raw_x[0][j][m], h_of[j][m] = raw_h[0][j][m];
#pragma unroll
                for (int k = 0; k < 3; k++) this_g[k][j][m] = raw_g[k][j][m];
                d_of[0][j][m] = raw_choice[0][j][m] == place.direction ? widened(raw_grad[0][j][m]) : (REAL)0;
            }
        int coming = count - G;
        x.load(raw_x, p.x, 0, true, coming, place.held);
        grad.load(raw_grad, p.grad, 0, true, coming, place.held);
        choice.load(raw_choice, p.choice, 0, true, coming, place.held);
        h.load(raw_h, p.h, 0, true, coming + sources, place.held);
        g.load(raw_g, p.guidance + taps, taps, three, coming, place.held);
        x.advance(), grad.advance(), choice.advance(), h.advance(), g.advance();
        if (line < 0) continue;
#pragma unroll
        for (int j = 0; j < G; j++) {  // past the last line too, where nothing is written out
            bool fed = place.start + line + j < place.lines - 1;
            Gates gates[M];
            REAL d[M], source[M];
#pragma unroll
            for (int m = 0; m < M; m++) {
                gates[m] = Gates(fed && place.has_before(m) ? widened(this_g[0][j][m]) : (REAL)0,
                                 fed ? widened(this_g[1][j][m]) : (REAL)0,
                                 fed && place.has_after(m) ? widened(this_g[2][j][m]) : (REAL)0, most);
                d[m] = d_of[0][j][m] + pushed[m];
                source[m] = j < G - 1 ? h_of[j < G - 1 ? j + 1 : 0][m] : raw_h[0][0][m];
            }
            Told<2> told = {{gates[M - 1].c * d[M - 1], source[M - 1]}, {gates[0].a * d[0], source[0]}};
            if (three) told = neighbours.exchange(G % 2 ? line % 2 : j % 2, told);
#pragma unroll
            for (int m = 0; m < M; m++) {
                pushed[m] = gates[m].b * d[m];
                if (three) {
                    pushed[m] += m > 0 ? gates[m > 0 ? m - 1 : 0].c * d[m > 0 ? m - 1 : 0] : told.up.of[0];
                    pushed[m] += m < M - 1 ? gates[m < M - 1 ? m + 1 : 0].a * d[m < M - 1 ? m + 1 : 0] : told.down.of[0];
                }
                REAL value = widened(this_x[j][m]);
                REAL lower = m > 0 ? source[m > 0 ? m - 1 : 0] : told.up.of[1];
                REAL higher = m < M - 1 ? source[m < M - 1 ? m + 1 : 0] : told.down.of[1];
                REAL da = fed && three && place.has_before(m) ? d[m] * (lower - value) : (REAL)0;
                REAL db = fed ? d[m] * (source[m] - value) : (REAL)0;
                REAL dc = fed && three && place.has_after(m) ? d[m] * (higher - value) : (REAL)0;
                gates[m].differentiate(da, db, dc);
                slope[0][j][m] = da, slope[1][j][m] = db, slope[2][j][m] = dc;
                d_of[0][j][m] = gates[m].rest() * d[m];
            }
        }
        parts.store(d_of, p.parts, 0, true, count, place.kept);
        if (p.in_full)
            dg.store(slope, (REAL*)p.dguidance + dg_taps, dg_taps, three, count, place.kept);
        else
            dg.store(slope, (G_TYPE*)p.dguidance + dg_taps, dg_taps, three, count, place.kept);
        parts.advance(), dg.advance();
    }
    if (p.carry_out) place.leave(pushed, p.carry_out);
}

KERNEL(backward, Backward, BACKWARD_THREADS) {
    SHARED(cells);
    backward_of<BACKWARD_POSITIONS, BACKWARD_LINES>(p, cells);
}

KERNEL(backward_broad, Backward, BACKWARD_BROAD_THREADS) {
    SHARED(cells);
    backward_of<BACKWARD_BROAD_POSITIONS, BACKWARD_BROAD_LINES>(p, cells);
}

struct Sum {
    const REAL* parts;     // (image, direction, pixel)
    X_TYPE* out;           // (image, pixel)
    Int size, directions;  // pixels of an image, all channels counted
};

// The sum over the directions, in their order.
KERNEL(sum, Sum, MERGE_THREADS) {
    int blocks = (int)((p.size + GROUP * MERGE_THREADS - 1) / (GROUP * MERGE_THREADS));  // of an image
    Int image = (int)blockIdx.x / blocks, pixel = ((Int)((int)blockIdx.x % blocks) * MERGE_THREADS + threadIdx.x) * GROUP;
    if (pixel >= p.size) return;
    const REAL* part = p.parts + image * p.directions * p.size + pixel;
    X_TYPE* out = p.out + image * p.size + pixel;
    bool packed = p.size % GROUP == 0;
    REAL total[GROUP] = {};
    for (int i = 0; i < p.directions; i++, part += p.size) {
        Pack<REAL> raw = {};
        if (packed)
            raw = *(const Pack<REAL>*)part;
        else
#pragma unroll
            for (int j = 0; j < GROUP; j++)
                if (pixel + j < p.size) raw.of[j] = part[j];
#pragma unroll
        for (int j = 0; j < GROUP; j++) total[j] += raw.of[j];
    }
    Pack<X_TYPE> pack;
#pragma unroll
    for (int j = 0; j < GROUP; j++) narrow(pack.of[j], total[j]);
    if (packed)
        *(Pack<X_TYPE>*)out = pack;
    else
#pragma unroll
        for (int j = 0; j < GROUP; j++)
            if (pixel + j < p.size) out[j] = pack.of[j];
}
