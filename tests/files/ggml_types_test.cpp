#include "labelprobe/files/ggml_types.h"

#include "support/catch.h"

namespace labelprobe::files {

TEST_CASE("Names the number types of GGUF tensors", "[unit]") {
  CHECK(ggml_type_name(3) == "Q4_1");
  CHECK(ggml_type_name(30) == "BF16");
  CHECK(ggml_type_name(9) == "ggml type 9");
  CHECK_FALSE(block_layout(static_cast<GgmlType>(9)));
  CHECK_THAT(known_ggml_types(), Catch::Matchers::StartsWith(
                                     "F32, F16, BF16, F64, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K"));
}

}  // namespace labelprobe::files
