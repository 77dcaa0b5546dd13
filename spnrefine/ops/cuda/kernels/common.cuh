// What all kernels share: how numbers are stored, where a thread stands in a scan, and the gates of one pixel.
//
// Compiled with X_TYPE, G_TYPE (types of x's and of guidance's elements), REAL (the type calculated in) and LEAST (its
// smallest normal number) defined. A thread owns a few neighbouring positions of a line, of one channel, and walks along
// the scan; it takes lines in groups and has the next group on its way in registers while it works on this one. What a
// line hands on to other threads goes through shared memory, two buffers in turn: one barrier a line, none but a warp's
// own where a block is one warp.
//
// A block has a whole line, or a piece of it. Pieces overlap: what a piece lacks beyond its ends spoils one position a
// line, and after as many lines as `halo` has positions the launch ends. The next one begins with the last line of all
// pieces, without what was spoilt.

typedef long long Int;

constexpr int GROUP = 4;  // numbers moved at once by the kernels that merge
constexpr int AS_THEY_ARE = 0, BOUNDED = 1;  // ways to normalise; 2 is by the sum

struct Half {
    unsigned short bits;
};
struct Bfloat {
    unsigned short bits;
};

#ifndef ON_CPU
#define KERNEL(name, Arguments, threads) \
    extern "C" __global__ void __launch_bounds__(threads, 1) name(const __grid_constant__ Arguments p)
#define SHARED(name) extern __shared__ __align__(16) REAL name[]

__device__ __forceinline__ float reciprocal(float value) {
    float reciprocal;  // of a normal number; 0 above 2^126, as a quick division gives
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(reciprocal) : "f"(value));
    return reciprocal;
}
__device__ __forceinline__ float float_of_half(unsigned short bits) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(bits));
    return value;
}
__device__ __forceinline__ unsigned short half_of(float value) {
    unsigned short bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
    return bits;
}
__device__ __forceinline__ float float_of(unsigned bits) {
    return __uint_as_float(bits);
}
__device__ __forceinline__ unsigned bits_of(float value) {
    return __float_as_uint(value);
}
#endif

__device__ __forceinline__ double reciprocal(double value) {
    return 1.0 / value;
}
__device__ __forceinline__ REAL widened(float value) {
    return value;
}
__device__ __forceinline__ REAL widened(double value) {
    return (REAL)value;
}
__device__ __forceinline__ REAL widened(Half value) {
    return float_of_half(value.bits);
}
__device__ __forceinline__ REAL widened(Bfloat value) {
    return float_of((unsigned)value.bits << 16);
}
__device__ __forceinline__ void narrow(float& narrowed, REAL value) {
    narrowed = (float)value;
}
__device__ __forceinline__ void narrow(double& narrowed, REAL value) {
    narrowed = value;
}
__device__ __forceinline__ void narrow(Half& narrowed, REAL value) {
    narrowed.bits = half_of((float)value);
}
__device__ __forceinline__ void narrow(Bfloat& narrowed, REAL value) {
#if !defined(ON_CPU) && __CUDA_ARCH__ >= 800
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(narrowed.bits) : "f"((float)value));
#else
    unsigned bits = bits_of((float)value);  // to nearest, ties to even; rounding could carry a NaN over to infinity
    narrowed.bits = value != value ? 0x7FC0 : (unsigned short)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
#endif
}

// A tensor's strides, in elements; 0 along axes that it lacks or is expanded along.
struct Strides {
    Int image, direction, tap, channel, row, column;
};

// What a launch is about. A block owns one direction of one image, one piece of its lines and `side` neighbouring channels.
struct Scans {
    Int batch, directions, channels, height, width, side, ways, normalise, taps;  // ways: two bits a direction
    Int pieces, core, halo;  // a piece hands on `core` positions, and has `halo` more on either side
    Int start, count;        // the lines of this launch; the scan's may end before
};

// Where a thread stands: a block's threads lie along the line, `side` channels next to each other, M positions each.
template <int M>
struct Place {
    Int image, carried;  // `carried`: of its first position, where a line is kept from launch to launch
    int direction, channel, side;
    int row, held, kept;     // the first position in the line; how many there are; how many are this piece's to hand on
    int lines, length;       // of the scan
    int start, count;        // lines before this launch's, and of this launch; at most 0 where the scan has ended
    bool horizontal, far;    // far: lines count from the right or the bottom

    // Blocks of one image's directions are neighbours, so that they share in the cache what they read of x.
    __device__ Place(const Scans& scans, bool against) {
        side = (int)scans.side;
        int directions = (int)scans.directions, pieces = (int)scans.pieces, groups = (int)scans.channels / side;
        int block = (int)blockIdx.x / directions;  // of 32 bits, whose division is quick
        direction = (int)blockIdx.x % directions;
        int piece = block % pieces, lane = (int)threadIdx.x % side;
        block /= pieces;
        channel = block % groups * side + lane;
        image = block / groups;
        int way = (int)(scans.ways >> (2 * direction)) & 3;
        horizontal = way < 2;
        far = ((way & 1) != 0) != against;
        lines = (int)(horizontal ? scans.width : scans.height);
        length = (int)(horizontal ? scans.height : scans.width);
        start = (int)scans.start;
        count = lines - start < (int)scans.count ? lines - start : (int)scans.count;
        int core = (int)scans.core;  // multiples of M, and so is `halo`: no thread is cut
        row = piece * core - (int)scans.halo + (int)threadIdx.x / side * M;
        held = row < 0 || row >= length ? 0 : length - row < M ? length - row : M;
        kept = row >= piece * core && row < (piece + 1) * core ? held : 0;
        Int longest = scans.height > scans.width ? scans.height : scans.width;
        carried = ((image * directions + direction) * scans.channels + channel - lane) * longest + (Int)row * side + lane;
    }

    // Steps, in elements, to the next position of a line and to the next line.
    __device__ int row_step(const Strides& strides) const {
        return (int)(horizontal ? strides.row : strides.column);
    }
    __device__ int line_step(const Strides& strides) const {
        int step = (int)(horizontal ? strides.column : strides.row);
        return far ? -step : step;
    }
    // The thread's first element in the first line of this launch.
    __device__ Int first(const Strides& strides) const {
        Int corner = image * strides.image + direction * strides.direction + channel * strides.channel;
        corner += (Int)row * row_step(strides);
        return corner + (Int)(far ? start - (lines - 1) : start) * line_step(strides);
    }
    // Whether the m-th position has a neighbour below, or above; for positions that are held.
    __device__ bool has_before(int m) const {
        return m > 0 || row > 0;
    }
    __device__ bool has_after(int m) const {
        return row + m < length - 1;
    }
    // What of a line one launch leaves to the next.
    __device__ void take(REAL (&state)[M], const REAL* carry) const {
#pragma unroll
        for (int m = 0; m < M; m++)
            if (m < held) state[m] = carry[carried + m * side];
    }
    __device__ void leave(const REAL (&state)[M], REAL* carry) const {
#pragma unroll
        for (int m = 0; m < M; m++)
            if (m < kept) carry[carried + m * side] = state[m];
    }
};

template <class T, int N = GROUP>
struct alignas(sizeof(T) * N > 16 ? 16 : sizeof(T) * N) Pack {
    T of[N];
};

// A thread's elements of a tensor, G lines of M positions at a time, moved G or M at once where they are neighbours in
// memory.
template <int M, int G>
struct Tile {
    Int at;         // the first position in the line that comes next
    int line, row;  // steps, in elements
    bool by_lines, by_rows;

    __device__ Tile(const void* memory, size_t size, const Strides& strides, const Place<M>& place) {
        line = place.line_step(strides), row = place.row_step(strides);
        at = place.first(strides);
        size_t address = (size_t)memory;
        by_lines = (line == 1 || line == -1) &&
                   (address + (line < 0 ? at - (G - 1) : at) * size | row * size | strides.tap * size) % bytes(size * G) == 0;
        by_rows = row == 1 && (address + at * size | line * size | strides.tap * size) % bytes(size * M) == 0;
    }
    template <class T>
    __device__ Tile(const T* memory, const Strides& strides, const Place<M>& place)
        : Tile(memory, sizeof(T), strides, place) {}

    __device__ static size_t bytes(size_t pack) {
        return pack > 16 ? 16 : pack;
    }

    // Of K tensors that lie `apart` (all of them, or the one in the middle, which begins at `memory`) the elements of the
    // next `count` lines, `held` positions of each; others stay as they are.
    template <int K, class T>
    __device__ __forceinline__ void load(T (&raw)[K][G][M], const T* memory, Int apart, bool all, int count, int held) const {
        memory += at - K / 2 * apart;
        if (count >= G && held == M) {
#pragma unroll
            for (int k = 0; k < K; k++, memory += apart) {
                if (!all && k != K / 2) continue;
                if (by_lines) {
#pragma unroll
                    for (int m = 0; m < M; m++) {
                        Pack<T, G> pack = *(const Pack<T, G>*)(memory + m * row - (line < 0 ? G - 1 : 0));
#pragma unroll
                        for (int j = 0; j < G; j++) raw[k][j][m] = line < 0 ? pack.of[G - 1 - j] : pack.of[j];
                    }
                } else if (M > 1 && by_rows) {
#pragma unroll
                    for (int j = 0; j < G; j++) {
                        Pack<T, M> pack = *(const Pack<T, M>*)(memory + j * line);
#pragma unroll
                        for (int m = 0; m < M; m++) raw[k][j][m] = pack.of[m];
                    }
                } else {
#pragma unroll
                    for (int j = 0; j < G; j++)
#pragma unroll
                        for (int m = 0; m < M; m++) raw[k][j][m] = memory[j * line + m * row];
                }
            }
        } else {
#pragma unroll
            for (int k = 0; k < K; k++, memory += apart)
#pragma unroll
                for (int j = 0; j < G; j++)
#pragma unroll
                    for (int m = 0; m < M; m++)
                        if ((all || k == K / 2) && j < count && m < held) raw[k][j][m] = memory[j * line + m * row];
        }
    }
    template <int K, class T>
    __device__ __forceinline__ void store(const REAL (&value)[K][G][M], T* memory, Int apart, bool all, int count,
                                          int kept) const {
        memory += at - K / 2 * apart;
        if (count >= G && kept == M) {
#pragma unroll
            for (int k = 0; k < K; k++, memory += apart) {
                if (!all && k != K / 2) continue;
                if (by_lines) {
#pragma unroll
                    for (int m = 0; m < M; m++) {
                        Pack<T, G> pack;
#pragma unroll
                        for (int j = 0; j < G; j++) narrow(pack.of[j], line < 0 ? value[k][G - 1 - j][m] : value[k][j][m]);
                        *(Pack<T, G>*)(memory + m * row - (line < 0 ? G - 1 : 0)) = pack;
                    }
                } else if (M > 1 && by_rows) {
#pragma unroll
                    for (int j = 0; j < G; j++) {
                        Pack<T, M> pack;
#pragma unroll
                        for (int m = 0; m < M; m++) narrow(pack.of[m], value[k][j][m]);
                        *(Pack<T, M>*)(memory + j * line) = pack;
                    }
                } else {
#pragma unroll
                    for (int j = 0; j < G; j++)
#pragma unroll
                        for (int m = 0; m < M; m++) narrow(memory[j * line + m * row], value[k][j][m]);
                }
            }
        } else {
#pragma unroll
            for (int k = 0; k < K; k++, memory += apart)
#pragma unroll
                for (int j = 0; j < G; j++)
#pragma unroll
                    for (int m = 0; m < M; m++)
                        if ((all || k == K / 2) && j < count && m < kept) narrow(memory[j * line + m * row], value[k][j][m]);
        }
    }
    __device__ __forceinline__ void advance() {
        at += G * line;
    }
};

// What a thread tells its neighbours in the line: N numbers upwards, N downwards.
template <int N>
struct alignas(sizeof(REAL) * 2 * N > 16 ? 16 : sizeof(REAL) * 2 * N) Told {
    Pack<REAL, N> up, down;
};

// What all of a block's threads tell, in two buffers of shared memory in turn. Beyond a block's ends lie zeros.
template <int N>
struct Neighbours {
    Told<N>* own;  // the thread's cell in the first buffer; in the other it lies `pitch` further on
    int side, pitch;
    bool lone;  // the block is one warp

    __device__ Neighbours(REAL* cells, int side) : side(side) {
        int thread = threadIdx.x, threads = blockDim.x;
        lone = threads <= 32;
        pitch = threads + 2 * side;
        own = (Told<N>*)cells + side + thread;
        if (thread < side) own[-side] = own[threads] = own[pitch - side] = own[pitch + threads] = Told<N>();
    }
    // Tell, and return what comes from the lower neighbour (`up`) and from the higher one (`down`).
    __device__ __forceinline__ Told<N> exchange(int buffer, const Told<N>& told) const {
        Told<N>* cell = buffer ? own + pitch : own;
        *cell = told;
        if (lone)
            __syncwarp();
        else
            __syncthreads();
        return {cell[-side].up, cell[side].down};
    }
};

struct Gates {
    REAL a, b, c;  // before, centre, after
    REAL scale;    // what the raw guidance was multiplied by; 0 where it was left alone

    __device__ Gates() {}
    // `most`: up to which the sum of sizes is left alone.
    __device__ __forceinline__ Gates(REAL before, REAL centre, REAL after, REAL most) {
        REAL total = fabs(before) + fabs(centre) + fabs(after);
        bool scaled = total > most;
        // below the smallest normal number, `unit` falls short of a sum of 1
        scale = scaled ? reciprocal(total > LEAST ? total : LEAST) : (REAL)0;
        REAL factor = scaled ? scale : (REAL)1;
        a = before * factor, b = centre * factor, c = after * factor;
    }
    __device__ static REAL most(int normalise) {
        return normalise == AS_THEY_ARE ? (REAL)float_of(0x7F800000) : normalise == BOUNDED ? (REAL)1 : (REAL)0;
    }
    __device__ __forceinline__ REAL rest() const {
        return 1 - (a + b + c);
    }
    // Turn gradients of the gates into those of the raw guidance.
    __device__ __forceinline__ void differentiate(REAL& da, REAL& db, REAL& dc) const {
        if (scale > 0) {
            REAL along = da * a + db * b + dc * c;
            da = (da - sign(a) * along) * scale;
            db = (db - sign(b) * along) * scale;
            dc = (dc - sign(c) * along) * scale;
        }
    }
    __device__ __forceinline__ static REAL sign(REAL value) {
        return (REAL)((value > 0) - (value < 0));
    }
};
