package io.penstock.models.vocabulary;

import io.penstock.models.LayerContext;
import io.penstock.models.parallel.TensorGroup;
import io.penstock.models.parallel.TensorSplit;
import io.penstock.tensor.Backend;
import io.penstock.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Softmax cross-entropy of chunks of logits. Over a group every rank has the logits of its part of the vocabulary; the parts' statistics of a chunk are gathered, and
 * every rank comes to the loss of all tokens, in the same bits, and to the gradient of its logits.
 */
public final class TokenLosses {
    public static final String LOSSES = "losses";
    public static final String STATISTICS = "statistics";

    private final Backend backend;
    private final TensorGroup group;
    private final ChunkViews views;
    private final int firstToken;
    private final Tensor losses_BT;
    /** By chunk: (P, R, 3), and this rank's part of it (R, 3); empty where the vocabulary is whole. */
    private final Tensor[] statistics_PR3;

    private final Tensor[] ownStatistics_R3;

    /** {@code firstToken}: of this rank's part of the vocabulary. {@code context.scratch()} has {@link #LOSSES}, and {@link #STATISTICS} where the vocabulary is split. */
    public TokenLosses(LayerContext context, TensorSplit split, int firstToken, LogitChunks chunks) {
        this.backend = context.backend();
        this.group = context.group();
        this.views = ChunkViews.of(chunks);
        this.firstToken = firstToken;
        this.losses_BT = context.scratch().tensor(LOSSES);
        int count = split.isWhole() ? 0 : chunks.count();
        this.statistics_PR3 = new Tensor[count];
        this.ownStatistics_R3 = new Tensor[count];
        for (int i = 0; i < count; i++) {
            Tensor all = context.scratch().tensor(STATISTICS);
            long rows = chunks.size(i);
            statistics_PR3[i] = all.slice(0, group.size() * rows);
            ownStatistics_R3[i] = all.slice(group.index() * rows, rows);
        }
    }

    /** Finds the losses of a chunk's tokens; overwrites its dlogits_RV, if given, with the gradient of {@code scale} times their sum. */
    public void find(int chunk, Tensor logits_RV, @Nullable Tensor dlogits_RV, Tensor targets_BT, float scale) {
        Tensor losses_R = views.ofColumn(losses_BT)[chunk];
        Tensor targets_R = views.ofColumn(targets_BT)[chunk];
        if (statistics_PR3.length == 0) {
            backend.crossEntropy(losses_R, dlogits_RV, logits_RV, targets_R, scale);
            return;
        }
        backend.softmaxPart(ownStatistics_R3[chunk], logits_RV, targets_R, firstToken);
        group.startAllGather(statistics_PR3[chunk]);
        group.await();
        backend.crossEntropyPart(losses_R, dlogits_RV, logits_RV, targets_R, statistics_PR3[chunk], firstToken, scale);
    }

    /** Overwrites loss_1 (F64) with the sum of all tokens' losses, in row order. */
    public void sum(Tensor loss_1) {
        backend.sum(loss_1, losses_BT);
    }
}
