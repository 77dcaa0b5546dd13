// CUDA's words for a C++ compiler of the CPU: enough of them to run the kernels, one block after the other.
//
// The threads of a block are fibres. A warp's run in turn from barrier to barrier, and on to the next one where it is the
// warp's own; warps, in turn, from one barrier of the block to the next. The order is the caller's choice, so that what
// depends on it (a missing barrier, or one of the warp where the block's is needed) shows as a difference. Shared memory
// begins full of NaN.

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
    enum { AT_START, AT_WARP, AT_BLOCK, FINISHED } state;
};

static ucontext_t block_context;
static std::vector<Fibre> fibres;
static const std::function<void()>* body;
static long barriers, warp_barriers;  // passed by the first thread of the first block
static bool diverged;                 // some threads of a block or a warp ended, or wait, while others wait elsewhere

static void run_fibre() {
    (*body)();
    fibres[threadIdx.x].state = Fibre::FINISHED;
}

static void wait_at(decltype(Fibre::state) barrier) {
    int thread = threadIdx.x;
    fibres[thread].state = barrier;
    swapcontext(&fibres[thread].context, &block_context);
    threadIdx.x = thread;
}

static void __syncthreads() {
    if (threadIdx.x == 0 && blockIdx.x == 0) barriers++;
    wait_at(Fibre::AT_BLOCK);
}

static void __syncwarp() {
    if (threadIdx.x == 0 && blockIdx.x == 0) warp_barriers++;
    wait_at(Fibre::AT_WARP);
}

// Runs a warp's threads to a barrier of the block, or to their end; returns which.
static decltype(Fibre::state) run_warp(int first, int order) {
    decltype(Fibre::state) state;
    do {
        for (int i = 0; i < 32; i++) {
            threadIdx.x = first + (order ? 31 - i : i);
            swapcontext(&block_context, &fibres[threadIdx.x].context);
        }
        state = fibres[first].state;
        for (int i = 1; i < 32; i++) diverged |= fibres[first + i].state != state;
    } while (state == Fibre::AT_WARP && !diverged);
    return state;
}

static void run_block(int threads, int order) {
    const size_t stack = 1 << 16;
    fibres.resize(threads);
    for (Fibre& fibre : fibres) {
        if (!fibre.stack) fibre.stack.reset(new char[stack]);
        fibre.state = Fibre::AT_START;
        getcontext(&fibre.context);
        fibre.context.uc_stack.ss_sp = fibre.stack.get();
        fibre.context.uc_stack.ss_size = stack;
        fibre.context.uc_link = &block_context;
        makecontext(&fibre.context, run_fibre, 0);
    }
    for (bool waiting = true; waiting && !diverged;) {
        int warps = threads / 32, at_barrier = 0;
        for (int i = 0; i < warps; i++) at_barrier += run_warp(32 * (order ? warps - 1 - i : i), order) == Fibre::AT_BLOCK;
        waiting = at_barrier > 0;
        if (waiting && at_barrier != warps) diverged = true;
    }
}

extern "C" long barriers_of_a_warp() {
    return warp_barriers;
}

// Returns the barriers a block passed, or -1 where threads of a block or a warp parted ways.
static long emulate(int blocks, int threads, int shared, int order, const std::function<void()>& kernel) {
    body = &kernel;
    barriers = warp_barriers = 0;
    diverged = false;
    blockDim.x = threads, gridDim.x = blocks;
    for (int block = 0; block < blocks && !diverged; block++) {
        blockIdx.x = block;
        shared_memory.assign(shared + 16, (char)0xFF);
        run_block(threads, order);
    }
    return diverged ? -1 : barriers;
}

#define KERNEL(name, Arguments, threads)                                                                       \
    static void name(const Arguments& p);                                                                      \
    extern "C" long run_##name(const Arguments* p, int blocks, int block_threads, int shared, int order) {      \
        if (block_threads > (threads) || block_threads % 32) return -2;                                                              \
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
