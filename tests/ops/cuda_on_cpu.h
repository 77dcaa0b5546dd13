// CUDA's words for a C++ compiler of the CPU: enough of them to run the kernels, one block after the other.
//
// The threads of a block are fibres. They run in turn from barrier to barrier, in an order of the caller's choice, so
// that what depends on the order (a missing barrier) shows as a difference. Shared memory begins full of NaN.

#include <math.h>
#include <stddef.h>
#include <string.h>
#include <ucontext.h>

#include <functional>
#include <memory>
#include <vector>

#define ON_CPU
#define __device__
#define __forceinline__ inline

struct Dimension {
    int x;
};

static Dimension threadIdx, blockIdx, blockDim, gridDim;
static std::vector<char> shared_memory;

struct Fibre {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    bool finished;
};

static ucontext_t block_context;
static std::vector<Fibre> fibres;
static const std::function<void()>* body;
static long barriers;  // passed by the first thread of the first block
static bool diverged;  // some threads ended while others wait at a barrier

static void run_fibre() {
    (*body)();
    fibres[threadIdx.x].finished = true;
}

static void __syncthreads() {
    int thread = threadIdx.x;
    if (thread == 0 && blockIdx.x == 0) barriers++;
    swapcontext(&fibres[thread].context, &block_context);
    threadIdx.x = thread;
}

static void run_block(int threads, int order) {
    const size_t stack = 1 << 16;
    fibres.resize(threads);
    for (Fibre& fibre : fibres) {
        if (!fibre.stack) fibre.stack.reset(new char[stack]);
        fibre.finished = false;
        getcontext(&fibre.context);
        fibre.context.uc_stack.ss_sp = fibre.stack.get();
        fibre.context.uc_stack.ss_size = stack;
        fibre.context.uc_link = &block_context;
        makecontext(&fibre.context, run_fibre, 0);
    }
    for (int waiting = threads; waiting;) {
        waiting = 0;
        for (int i = 0; i < threads; i++) {
            int thread = order ? threads - 1 - i : i;
            if (fibres[thread].finished) continue;
            threadIdx.x = thread;
            swapcontext(&block_context, &fibres[thread].context);
            waiting += !fibres[thread].finished;
        }
        if (waiting && waiting != threads) diverged = true;
    }
}

// Returns the barriers a block passed, or -1 where threads of a block parted ways.
static long emulate(int blocks, int threads, int shared, int order, const std::function<void()>& kernel) {
    body = &kernel;
    barriers = 0;
    diverged = false;
    blockDim.x = threads, gridDim.x = blocks;
    for (int block = 0; block < blocks; block++) {
        blockIdx.x = block;
        shared_memory.assign(shared + 16, (char)0xFF);
        run_block(threads, order);
    }
    return diverged ? -1 : barriers;
}

#define KERNEL(name, Arguments, threads)                                                                       \
    static void name(const Arguments& p);                                                                      \
    extern "C" long run_##name(const Arguments* p, int blocks, int block_threads, int shared, int order) {      \
        if (block_threads > (threads)) return -2;                                                              \
        return emulate(blocks, block_threads, shared, order, [&] { name(*p); });                               \
    }                                                                                                          \
    static void name(const Arguments& p)
#define SHARED(name) REAL* name = (REAL*)(((size_t)shared_memory.data() + 15) / 16 * 16)

static float reciprocal(float value) {
    return 1 / value;
}
static float float_of(unsigned bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}
static unsigned bits_of(float value) {
    unsigned bits;
    memcpy(&bits, &value, 4);
    return bits;
}

static float float_of_half(unsigned short bits) {
    _Float16 value;
    memcpy(&value, &bits, 2);
    return (float)value;
}
static unsigned short half_of(float value) {
    _Float16 half = (_Float16)value;
    unsigned short bits;
    memcpy(&bits, &half, 2);
    return bits;
}
