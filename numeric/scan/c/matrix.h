/* H_t = A_t H_{t-1} + B_t for matrices, and its gradients: A (B, T, n, n), B H (B, T, n, m), n <= 32, m <= 64.

   Each entry is a chain of fused multiply-adds that starts at b and runs over k upwards, so an entry of H_t rounds n
   times. Views hold the strides of batch, time and matrix row; a row's entries lie side by side. */

#define MOST 32
#define WIDEST 64
#define AT(view, i, t, row) ((REAL *)(view).data + (i) * (view).batch + (t) * (view).time + (row) * (view).channel)

static void NAME(matrix_rows)(View x, int64_t i, int64_t t, int64_t n, int64_t m, REAL *restrict to) {
    for (int64_t r = 0; r < n; r++) memcpy(to + r * m, AT(x, i, t, r), (size_t)m * sizeof(REAL));
}

static void NAME(matrix_forward)(View A, View B, View H0, View H, int64_t i, int64_t T, int64_t n, int64_t m) {
    REAL state[MOST * WIDEST] = {0}, next[MOST * WIDEST];
    if (H0.data) NAME(matrix_rows)(H0, i, 0, n, m, state);
    for (int64_t t = 0; t < T; t++) {
        NAME(matrix_rows)(B, i, t, n, m, next);
        for (int64_t r = 0; r < n; r++) {
            const REAL *gates = AT(A, i, t, r);
            if (m == 1)
                for (int64_t k = 0; k < n; k++) next[r] = FMA(gates[k], state[k], next[r]);
            else
                for (int64_t k = 0; k < n; k++)
                    for (int64_t j = 0; j < m; j++) next[r * m + j] = FMA(gates[k], state[k * m + j], next[r * m + j]);
        }
        memcpy(state, next, (size_t)(n * m) * sizeof(REAL));
        for (int64_t r = 0; r < n; r++) memcpy(AT(H, i, t, r), state + r * m, (size_t)m * sizeof(REAL));
    }
}

/* L_t = G_t + A_{t+1}' L_{t+1} is the gradient of B_t; that of A_t is L_t H_{t-1}'. */
static void NAME(matrix_backward)(View G, View A, View H, View H0, View dA, View dB, int64_t i, int64_t T, int64_t n,
                                  int64_t m) {
    REAL adjoint[MOST * WIDEST] = {0}, next[MOST * WIDEST], before[MOST * WIDEST];
    for (int64_t t = T - 1; t >= 0; t--) {
        NAME(matrix_rows)(G, i, t, n, m, next);
        for (int64_t r = 0; r < n && t < T - 1; r++) {
            const REAL *gates = AT(A, i, t + 1, r);
            for (int64_t k = 0; k < n; k++)
                for (int64_t j = 0; j < m; j++) next[k * m + j] = FMA(gates[k], adjoint[r * m + j], next[k * m + j]);
        }
        memcpy(adjoint, next, (size_t)(n * m) * sizeof(REAL));
        for (int64_t r = 0; r < n; r++) memcpy(AT(dB, i, t, r), adjoint + r * m, (size_t)m * sizeof(REAL));
        if (t > 0 || H0.data)
            NAME(matrix_rows)(t > 0 ? H : H0, i, t > 0 ? t - 1 : 0, n, m, before);
        else
            memset(before, 0, sizeof before);
        for (int64_t r = 0; r < n; r++)
            for (int64_t k = 0; k < n; k++) {
                REAL sum = 0;
                for (int64_t j = 0; j < m; j++) sum = FMA(adjoint[r * m + j], before[k * m + j], sum);
                AT(dA, i, t, r)[k] = sum;
            }
    }
}

void NAME(matrix_scan)(const View *A, const View *B, const View *H0, const View *H, int64_t batch, int64_t T, int64_t n,
                       int64_t m, int64_t threads) {
    (void)threads;
#pragma omp parallel for schedule(dynamic) num_threads((int)threads) if (threads > 1)
    for (int64_t i = 0; i < batch; i++) {
        const unsigned arithmetic = standard_arithmetic();
        NAME(matrix_forward)(*A, *B, *H0, *H, i, T, n, m);
        restore_arithmetic(arithmetic);
    }
}

void NAME(matrix_scan_backward)(const View *G, const View *A, const View *H, const View *H0, const View *dA,
                                const View *dB, int64_t batch, int64_t T, int64_t n, int64_t m, int64_t threads) {
    (void)threads;
#pragma omp parallel for schedule(dynamic) num_threads((int)threads) if (threads > 1)
    for (int64_t i = 0; i < batch; i++) {
        const unsigned arithmetic = standard_arithmetic();
        NAME(matrix_backward)(*G, *A, *H, *H0, *dA, *dB, i, T, n, m);
        restore_arithmetic(arithmetic);
    }
}

#undef MOST
#undef WIDEST
#undef AT
