// Some rows of a quantised matrix, for a process that computes a part of a model: with the codes
// and absmax that they have in the whole.
#pragma once

#include "labelprobe/weights/precision.h"

#include "weights/checkpoint/row_range.h"
#include "weights/families/parameters.h"
#include "weights/quantized/quantized_weight.h"

namespace labelprobe::weights {

// Throws ModelError naming the matrix where rows would take a part of a block of 64 numbers, which
// share one absmax.
void check_whole_blocks(const Parameter& matrix, Quantization quantization, const RowRanges& rows);

// One range below the other, on the CPU. The absmax of Nf4Double, whose own blocks rows may cut,
// becomes float32: such rows are Nf4. Throws as above.
QuantizedWeight quantized_rows(const Parameter& matrix,
                               const QuantizedWeight& whole,
                               const RowRanges& rows);

}  // namespace labelprobe::weights
