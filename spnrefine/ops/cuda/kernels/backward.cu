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
    REAL* carry;                  // of `backward_long`, where shared memory is too small; else null
    Scans scans;
    Strides x_strides, g_strides, grad_strides, h_strides, choice_strides, dg_strides;
    Int in_full;
};

template <class T, int G>
__device__ __forceinline__ void store_gates(const Lane<G>& dg, T* memory, const Backward& p, const REAL (&da)[G],
                                            const REAL (&db)[G], const REAL (&dc)[G], int count) {
    bool three = p.scans.taps == 3;
    dg.store(db, memory + (three ? p.dg_strides.tap : 0), count);
    if (three) {
        dg.store(da, memory, count);
        dg.store(dc, memory + 2 * p.dg_strides.tap, count);
    }
}

// A position a thread: lines of at most blockDim.x / side pixels, G lines at once.
template <int G>
__device__ __forceinline__ void backward_in_groups(const Backward& p, REAL* cells) {
    Place place(p.scans, true);
    int side = (int)p.scans.side, normalise = (int)p.scans.normalise, lines = place.lines;
    bool three = p.scans.taps == 3, active = place.row < place.length;
    bool has_before = three && place.row > 0, has_after = three && place.row < place.length - 1;
    Lane<G> x(p.x, p.x_strides, place), grad(p.grad, p.grad_strides, place), g(p.guidance, p.g_strides, place);
    Lane<G> h(p.h, p.h_strides, place), choice(p.choice, p.choice_strides, place);
    Lane<G> parts(p.parts, p.h_strides, place);
    Lane<G> dg(p.dguidance, p.in_full ? sizeof(REAL) : sizeof(G_TYPE), p.dg_strides, place);
    const G_TYPE *centre = p.guidance + (three ? p.g_strides.tap : 0), *last_tap = centre + p.g_strides.tap;

    // a buffer: what pixels push to the rows before and after theirs, and h one line earlier in the scan
    int pitch = blockDim.x + 2 * side;
    REAL* own_cell = cells + side + threadIdx.x;
    clear(cells, 6 * pitch);

    X_TYPE raw_x[G] = {}, raw_grad[G] = {};
    G_TYPE raw_a[G] = {}, raw_b[G] = {}, raw_c[G] = {};
    REAL raw_h[G] = {};
    unsigned char raw_choice[G] = {};
    int count = active ? lines : 0;  // of this thread's lines that are yet to come
    auto load = [&](int coming) {
        x.load(raw_x, p.x, coming);
        grad.load(raw_grad, p.grad, coming);
        choice.load(raw_choice, p.choice, coming);
        h.load(raw_h, p.h, coming);
        g.load(raw_b, centre, coming);
        if (three) {
            g.load(raw_a, p.guidance, coming);
            g.load(raw_c, last_tap, coming);
        }
    };
    load(count);
    REAL pushed = 0;  // to this pixel, by those of the last line
    __syncthreads();

    for (int line = 0; line < lines; line += G) {
        X_TYPE this_x[G];
        G_TYPE this_a[G], this_b[G], this_c[G];
        REAL d_of[G], h_of[G], da[G], db[G], dc[G];
#pragma unroll
        for (int j = 0; j < G; j++) {
            this_x[j] = raw_x[j], this_a[j] = raw_a[j], this_b[j] = raw_b[j], this_c[j] = raw_c[j], h_of[j] = raw_h[j];
            d_of[j] = raw_choice[j] == place.direction ? widened(raw_grad[j]) : (REAL)0;
        }
        x.advance(), grad.advance(), choice.advance(), h.advance(), g.advance();
        load(count - G);
#pragma unroll
        for (int j = 0; j < G; j++) {  // past the last line too, where nothing is written out
            bool fed = line + j < lines - 1;
            Gates gates(fed && has_before ? widened(this_a[j]) : (REAL)0, fed ? widened(this_b[j]) : (REAL)0,
                        fed && has_after ? widened(this_c[j]) : (REAL)0, normalise);
            REAL d = d_of[j] + pushed, value = widened(this_x[j]), source = j < G - 1 ? h_of[j < G - 1 ? j + 1 : 0] : raw_h[0];
            pushed = gates.b * d;
            db[j] = fed ? d * (source - value) : (REAL)0;
            da[j] = dc[j] = 0;
            if (three) {
                REAL* cell = own_cell + (G % 2 == 0 ? j % 2 : (line + j) % 2) * 3 * pitch;
                cell[0] = gates.a * d, cell[pitch] = gates.c * d, cell[2 * pitch] = source;
                __syncthreads();
                pushed += cell[side] + cell[pitch - side];
                if (fed && has_before) da[j] = d * (cell[2 * pitch - side] - value);
                if (fed && has_after) dc[j] = d * (cell[2 * pitch + side] - value);
            }
            gates.differentiate(da[j], db[j], dc[j]);
            d_of[j] = gates.rest() * d;
        }
        parts.store(d_of, p.parts, count);
        if (p.in_full)
            store_gates(dg, (REAL*)p.dguidance, p, da, db, dc, count);
        else
            store_gates(dg, (G_TYPE*)p.dguidance, p, da, db, dc, count);
        parts.advance(), dg.advance();
        count -= G;
    }
}

KERNEL(backward, Backward, BACKWARD_THREADS) {
    SHARED(cells);
    backward_in_groups<GROUP>(p, cells);
}

#if !defined(ON_CPU) && __CUDA_ARCH__ >= 1000
constexpr int WIDE_LINES = 1;  // at once; 2 would spill registers there
#else
constexpr int WIDE_LINES = 2;
#endif

// Twice as many threads with half the registers each, and half the lines at once.
KERNEL(backward_wide, Backward, WIDE_THREADS) {
    SHARED(cells);
    backward_in_groups<WIDE_LINES>(p, cells);
}

// Any length: a thread takes positions one after the other, and two lines lie in shared or device memory.
KERNEL(backward_long, Backward, LONG_THREADS) {
    SHARED(cells);
    Place place(p.scans, true);
    int side = (int)p.scans.side, normalise = (int)p.scans.normalise, length = place.length;
    bool three = p.scans.taps == 3;
    int first = place.row, rows = blockDim.x / side, lane = threadIdx.x % side, pitch = (length + 2) * side;
    REAL* carried = p.carry ? p.carry + (Int)blockIdx.x * 6 * pitch : cells;  // pushed before, on and after, twice
    place.row = 0;
    Int x = place.first(p.x_strides), g = place.first(p.g_strides), grad = place.first(p.grad_strides);
    Int h = place.first(p.h_strides), choice = place.first(p.choice_strides), dg = place.first(p.dg_strides);
    Int centre = three ? p.g_strides.tap : 0, dg_centre = three ? p.dg_strides.tap : 0;
    Int h_row = place.row_step(p.h_strides);
    clear(carried, 6 * pitch);
    __syncthreads();

    for (int line = 0; line < place.lines; line++) {
        REAL* last = carried + line % 2 * 3 * pitch + side + lane;
        REAL* next = carried + (1 - line % 2) * 3 * pitch + side + lane;
        bool fed = line < place.lines - 1;
        const REAL* source = p.h + h + place.line_step(p.h_strides);
        for (int row = first; row < length; row += rows) {
            bool has_before = fed && three && row > 0, has_after = fed && three && row < length - 1;
            const G_TYPE* raw = p.guidance + g + (Int)row * place.row_step(p.g_strides);
            Gates gates(has_before ? widened(raw[0]) : (REAL)0, fed ? widened(raw[centre]) : (REAL)0,
                        has_after ? widened(raw[2 * centre]) : (REAL)0, normalise);
            REAL value = widened(p.x[x + (Int)row * place.row_step(p.x_strides)]), d = 0;
            if (p.choice[choice + (Int)row * place.row_step(p.choice_strides)] == place.direction)
                d = widened(p.grad[grad + (Int)row * place.row_step(p.grad_strides)]);
            REAL *pushed = last + row * side, *push = next + row * side;
            d += pushed[pitch] + pushed[side] + pushed[2 * pitch - side];
            push[0] = gates.a * d, push[pitch] = gates.b * d, push[2 * pitch] = gates.c * d;
            REAL da = has_before ? d * (source[(row - 1) * h_row] - value) : (REAL)0;
            REAL db = fed ? d * (source[row * h_row] - value) : (REAL)0;
            REAL dc = has_after ? d * (source[(row + 1) * h_row] - value) : (REAL)0;
            gates.differentiate(da, db, dc);
            p.parts[h + row * h_row] = gates.rest() * d;
            Int to = dg + (Int)row * place.row_step(p.dg_strides);
            if (p.in_full) {
                REAL* out = (REAL*)p.dguidance + to;
                out[dg_centre] = db;
                if (three) out[0] = da, out[2 * dg_centre] = dc;
            } else {
                G_TYPE* out = (G_TYPE*)p.dguidance + to;
                narrow(out[dg_centre], db);
                if (three) narrow(out[0], da), narrow(out[2 * dg_centre], dc);
            }
        }
        x += place.line_step(p.x_strides), g += place.line_step(p.g_strides), grad += place.line_step(p.grad_strides);
        h += place.line_step(p.h_strides), choice += place.line_step(p.choice_strides);
        dg += place.line_step(p.dg_strides);
        __syncthreads();
    }
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
