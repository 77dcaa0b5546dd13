// What all kernels share: how numbers are stored, where a thread stands in a scan, and the gates of one pixel.
//
// Compiled with X_TYPE, G_TYPE (types of x's and of guidance's elements), REAL (the type calculated in) and LEAST (its
// smallest normal number) defined. A thread owns one position of a line, of one channel, and walks along the scan; it
// takes lines in groups of GROUP and has the next group on its way in registers while it works on this one. What a line
// hands on to the neighbours in the next goes through shared memory, two buffers in turn: one barrier a line.

typedef long long Int;

constexpr int GROUP = 4;
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
#define SHARED(name) extern __shared__ REAL name[]

__device__ __forceinline__ float reciprocal(float value) {
    return __fdividef(1.0f, value);
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

// What a launch is about. A block owns one direction of one image and `side` neighbouring channels.
struct Scans {
    Int batch, directions, channels, height, width, side, ways, normalise, taps;  // ways: two bits a direction
};

// Where a thread stands: a block's threads lie along the line, `side` channels next to each other.
struct Place {
    Int image;
    int direction, channel, row;  // `row` is the position in the line
    int lines, length;
    bool horizontal, far;  // far: lines count from the right or the bottom

    // Blocks of one image's directions are neighbours, so that they share in the cache what they read of x.
    __device__ Place(const Scans& scans, bool against) {
        int side = (int)scans.side, directions = (int)scans.directions, groups = (int)scans.channels / side;
        int block = (int)blockIdx.x / directions;  // of 32 bits, whose division is quick
        direction = (int)blockIdx.x % directions;
        channel = block % groups * side + (int)threadIdx.x % side;
        image = block / groups;
        row = (int)threadIdx.x / side;
        int way = (int)(scans.ways >> (2 * direction)) & 3;
        horizontal = way < 2;
        far = ((way & 1) != 0) != against;
        lines = (int)(horizontal ? scans.width : scans.height);
        length = (int)(horizontal ? scans.height : scans.width);
    }

    // Steps, in elements, to the next position of a line and to the next line.
    __device__ int row_step(const Strides& strides) const {
        return (int)(horizontal ? strides.row : strides.column);
    }
    __device__ int line_step(const Strides& strides) const {
        int step = (int)(horizontal ? strides.column : strides.row);
        return far ? -step : step;
    }
    // The thread's element in the first line.
    __device__ Int first(const Strides& strides) const {
        Int corner = image * strides.image + direction * strides.direction + channel * strides.channel;
        corner += (Int)row * row_step(strides);
        return far ? corner - (Int)(lines - 1) * line_step(strides) : corner;
    }
};

template <class T, int G = GROUP>
struct alignas(sizeof(T) * G > 16 ? 16 : sizeof(T) * G) Pack {
    T of[G];
};

// A thread's elements of a tensor, a line after the other; moved G at once where they are neighbours in memory.
template <int G = GROUP>
struct Lane {
    Int at;
    int step;
    bool packed;

    __device__ Lane(const void* memory, size_t size, const Strides& strides, const Place& place) {
        step = place.line_step(strides);
        at = place.first(strides);
        size_t start = (size_t)memory + (step < 0 ? at - (G - 1) : at) * size, pack = size * G > 16 ? 16 : size * G;
        packed = (step == 1 || step == -1) && start % pack == 0 && strides.tap * size % pack == 0;
    }
    template <class T>
    __device__ Lane(const T* memory, const Strides& strides, const Place& place)
        : Lane(memory, sizeof(T), strides, place) {}

    // The elements of the next `count` lines; those of lines further on are left as they are.
    template <class T>
    __device__ __forceinline__ void load(T (&raw)[G], const T* memory, int count) const {
        memory += at;
        if (packed && count >= G) {
            Pack<T, G> pack = *(const Pack<T, G>*)(step < 0 ? memory - (G - 1) : memory);
#pragma unroll
            for (int j = 0; j < G; j++) raw[j] = step < 0 ? pack.of[G - 1 - j] : pack.of[j];
        } else {
#pragma unroll
            for (int j = 0; j < G; j++)
                if (j < count) raw[j] = memory[j * step];
        }
    }
    template <class T>
    __device__ __forceinline__ void store(const REAL (&value)[G], T* memory, int count) const {
        memory += at;
        if (packed && count >= G) {
            Pack<T, G> pack;
#pragma unroll
            for (int j = 0; j < G; j++) narrow(pack.of[j], step < 0 ? value[G - 1 - j] : value[j]);
            *(Pack<T, G>*)(step < 0 ? memory - (G - 1) : memory) = pack;
        } else {
#pragma unroll
            for (int j = 0; j < G; j++)
                if (j < count) narrow(memory[j * step], value[j]);
        }
    }
    __device__ __forceinline__ void advance() {
        at += G * step;
    }
};

struct Gates {
    REAL a, b, c;  // before, centre, after
    REAL scale;    // what the raw guidance was multiplied by; 0 where it was left alone

    __device__ __forceinline__ Gates(REAL before, REAL centre, REAL after, int normalise) {
        REAL total = fabs(before) + fabs(centre) + fabs(after);
        REAL floor = normalise == BOUNDED ? (REAL)1 : (REAL)0;
        bool scaled = normalise != AS_THEY_ARE && total > floor;
        // below the smallest normal number, `unit` falls short of a sum of 1
        scale = scaled ? reciprocal(total > LEAST ? total : LEAST) : (REAL)0;
        REAL factor = scaled ? scale : (REAL)1;
        a = before * factor, b = centre * factor, c = after * factor;
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

// Clear two buffers of a line's cells, with `side` cells of nothing before and after each line.
__device__ __forceinline__ void clear(REAL* cells, int count) {
    for (int cell = threadIdx.x; cell < count; cell += blockDim.x) cells[cell] = 0;
}
