package io.penstock.models.llama;

import io.penstock.models.Embedding;
import io.penstock.models.LayerContext;
import io.penstock.models.Parameter;
import io.penstock.models.parallel.ParallelRegion;
import io.penstock.tensor.Backend;
import io.penstock.tensor.Tensor;

/**
 * y[b, t] = embed[tokens[b, t]]: positions are told by the rotation of queries and keys. Over a group the table is split by rows (Shoeybi et al. 2019): every rank looks up the
 * tokens of its part, zeros for the others, and the group sums; a sum with one term but zero has the bits of the whole embedding.
 */
final class TokenEmbedding implements Embedding {
    private final Backend backend;
    private final ParallelRegion region;
    private final boolean whole;
    private final int firstToken;
    private final int sequence;
    private final Tensor table_VC;
    private final Tensor dtable_VC;

    TokenEmbedding(LayerContext context, LlamaShard shard, ParallelRegion region) {
        this.backend = context.backend();
        this.region = region;
        this.whole = shard.split().isWhole();
        this.firstToken = shard.firstToken();
        this.sequence = context.microBatch().sequence();
        Parameter table = context.parameters().parameter(LlamaParameters.TOKEN_TABLE);
        this.table_VC = table.value();
        this.dtable_VC = table.gradient();
    }

    @Override
    public void forward(Tensor y_BTC, Tensor tokens_BT) {
        if (whole) {
            backend.embedding(y_BTC, tokens_BT, table_VC, null, sequence);
            return;
        }
        Tensor partial_BTC = region.partial(y_BTC, 0);
        backend.embeddingPart(partial_BTC, tokens_BT, table_VC, firstToken);
        region.sumInto(y_BTC, partial_BTC, 0);
    }

    @Override
    public void backwardWeight(Tensor dy_BTC, Tensor tokens_BT) {
        // forward: y = embed[tokens]
        if (whole) {
            backend.embeddingBackward(dtable_VC, null, dy_BTC, tokens_BT, sequence);
        } else {
            backend.embeddingPartBackward(dtable_VC, region.gather(dy_BTC, 0), tokens_BT, firstToken);
        }
    }
}
