package io.penstock.tensor.reference;

import io.penstock.tensor.AttentionShape;
import io.penstock.tensor.Tensor;

/**
 * Causal attention of one head at a time: s[t][u] = q[t] . k[u] / sqrt(H) for u <= t, lse[t] = log sum_u exp(s[t][u]), p = exp(s - lse), o[t] = sum_u
 * p[t][u] v[u]. Query head n reads key and value head n / (N / Nkv). Vaswani et al. 2017; backward by the row sums of Dao et al. 2022.
 */
final class ReferenceAttention {
    private final AttentionShape shape;
    private final double[] q;
    private final double[] k;
    private final double[] v;
    private final int queryColumns;
    private final int keyColumns;
    private final double scale;

    ReferenceAttention(AttentionShape shape, Tensor q_RC, Tensor k_RC, Tensor v_RC) {
        this.shape = shape;
        q = Values.read(q_RC);
        k = Values.read(k_RC);
        v = Values.read(v_RC);
        queryColumns = shape.heads() * shape.headSize();
        keyColumns = shape.keyValueHeads() * shape.headSize();
        scale = 1 / Math.sqrt(shape.headSize());
    }

    void forward(Tensor o_RC, Tensor lse_BNT) {
        double[] o = new double[q.length];
        double[] s = new double[shape.sequence()];
        for (int b = 0; b < shape.batch(); b++) {
            for (int n = 0; n < shape.heads(); n++) {
                for (int t = 0; t < shape.sequence(); t++) {
                    double max = Double.NEGATIVE_INFINITY;
                    for (int u = 0; u <= t; u++) {
                        s[u] = scale * dot(q, query(b, t, n), k, key(b, u, n));
                        max = Math.max(max, s[u]);
                    }
                    double sum = 0;
                    for (int u = 0; u <= t; u++) {
                        sum += Math.exp(s[u] - max);
                    }
                    double lse = max + Math.log(sum);
                    for (int u = 0; u <= t; u++) {
                        addScaled(o, query(b, t, n), Math.exp(s[u] - lse), v, key(b, u, n));
                    }
                    lse_BNT.set(statistic(b, n, t), lse);
                }
            }
        }
        Values.write(o_RC, o);
    }

    void backward(Tensor dq_RC, Tensor dk_RC, Tensor dv_RC, Tensor do_RC, Tensor o_RC, Tensor lse_BNT) {
        double[] o = Values.read(o_RC);
        double[] dO = Values.read(do_RC);
        double[] dq = new double[q.length];
        double[] dk = new double[k.length];
        double[] dv = new double[v.length];
        for (int b = 0; b < shape.batch(); b++) {
            for (int n = 0; n < shape.heads(); n++) {
                for (int t = 0; t < shape.sequence(); t++) {
                    int row = query(b, t, n);
                    double lse = lse_BNT.get(statistic(b, n, t));
                    // sum_u p[u] dp[u], since o = sum_u p[u] v[u]
                    double delta = dot(dO, row, o, row);
                    for (int u = 0; u <= t; u++) {
                        int column = key(b, u, n);
                        // forward: s = scale * q . k, p = exp(s - lse)
                        double p = Math.exp(scale * dot(q, row, k, column) - lse);
                        // forward: o = sum_u p v
                        double dp = dot(dO, row, v, column);
                        double ds = p * (dp - delta);
                        addScaled(dv, column, p, dO, row);
                        addScaled(dq, row, scale * ds, k, column);
                        addScaled(dk, column, scale * ds, q, row);
                    }
                }
            }
        }
        Values.write(dq_RC, dq);
        Values.write(dk_RC, dk);
        Values.write(dv_RC, dv);
    }

    private int query(int b, int t, int head) {
        return (b * shape.sequence() + t) * queryColumns + head * shape.headSize();
    }

    private int key(int b, int u, int head) {
        int keyHead = head / (shape.heads() / shape.keyValueHeads());
        return (b * shape.sequence() + u) * keyColumns + keyHead * shape.headSize();
    }

    private int statistic(int b, int head, int t) {
        return (b * shape.heads() + head) * shape.sequence() + t;
    }

    private double dot(double[] x, int xFrom, double[] y, int yFrom) {
        double sum = 0;
        for (int h = 0; h < shape.headSize(); h++) {
            sum += x[xFrom + h] * y[yFrom + h];
        }
        return sum;
    }

    private void addScaled(double[] y, int yFrom, double factor, double[] x, int xFrom) {
        for (int h = 0; h < shape.headSize(); h++) {
            y[yFrom + h] += factor * x[xFrom + h];
        }
    }
}
