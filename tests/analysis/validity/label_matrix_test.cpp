// Matrices whose numbers are written down here.
#include "labelprobe/analysis/label_matrix.h"

#include "support/catch.h"

namespace labelprobe::analysis {
namespace {

record::SlotValues behind(const std::string& first, float joy, float fear, float ends) {
  record::SlotValues slot;
  slot.number = 2;
  slot.seen = {first};
  slot.probs = {{"fear", fear}, {"joy", joy}};
  slot.ends = ends;
  return slot;
}

record::ItemRecord item_with(float joy, std::vector<record::SlotValues> forced) {
  record::ItemRecord item;
  record::ReadoutValues& values = item.readouts.emplace_back();
  values.name = "forced_matrix";
  values.probs = {{"joy", joy}, {"fear", 1.0F - joy}};
  values.forced = std::move(forced);
  return item;
}

TEST_CASE("A matrix is the mean over the items that have the row", "[validity]") {
  const std::vector<record::ItemRecord> items = {
      item_with(0.5F, {behind("joy", 0.25F, 0.75F, 0.5F), behind("fear", 0.5F, 0.5F, 0.25F)}),
      item_with(0.75F, {behind("joy", 0.125F, 0.875F, 1.0F)}),
      record::ItemRecord(),
  };
  const std::vector<LabelMatrix> matrices = mean_matrices(items);
  REQUIRE(matrices.size() == 1);
  const LabelMatrix& matrix = matrices[0];
  CHECK(matrix.readout == "forced_matrix");
  CHECK(matrix.labels == std::vector<std::string>{"joy", "fear"});
  CHECK(matrix.n == 2);
  CHECK(matrix.unforced == std::vector<double>{0.625, 0.375});
  CHECK(matrix.rows[0].n == 2);
  CHECK(matrix.rows[0].next == std::vector<double>{0.1875, 0.8125});
  CHECK(matrix.rows[0].ends == 0.75);
  CHECK(matrix.rows[1].n == 1);
  CHECK(matrix.rows[1].next == std::vector<double>{0.5, 0.5});
  CHECK(matrix.mean_repeat() == (0.1875 + 0.5) / 2);
  const LabelMatrix::Asymmetry asymmetry = matrix.asymmetry();
  CHECK(asymmetry.mean == 0.3125);
  CHECK(asymmetry.largest == 0.3125);
  CHECK(asymmetry.first == "joy");
  CHECK(asymmetry.next == "fear");
}

TEST_CASE("A label without a row counts nowhere", "[validity]") {
  const std::vector<record::ItemRecord> items = {
      item_with(0.5F, {behind("fear", 0.5F, 0.25F, 0.25F)})};
  const LabelMatrix matrix = mean_matrices(items).at(0);
  CHECK(matrix.mean_repeat() == 0.25);
  CHECK(matrix.asymmetry().mean == 0.0);
  CHECK(mean_matrices(std::vector<record::ItemRecord>(2)).empty());
}

}  // namespace
}  // namespace labelprobe::analysis
