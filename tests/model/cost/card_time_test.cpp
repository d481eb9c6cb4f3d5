// That time follows from the work, and by which rule.
#include "model/cost/card_time.h"

#include <array>

#include "support/catch.h"
#include "weights/making/model_shapes.h"

namespace labelprobe::model::cost {
namespace {

struct Setting {
  weights::DecoderConfig config = weights::decoder_config_of("llama-3.1-8b", 0);
  OpenOptions options;
  CardSetting of(std::string_view card, Quantization quantization = Quantization::None) const {
    return {find_card(card), config, options, quantization, 10};
  }
};

double seconds_of(const CardSetting& setting, const Workload& workload) {
  Ledger ledger;
  add_card_time(setting, workload, ledger);
  return ledger.seconds(Phase::Prompts) + ledger.seconds(Phase::Answers);
}

Workload of_packs(std::initializer_list<std::int64_t> packs) {
  Workload workload;
  for (const std::int64_t n_rows : packs) {
    Pass pass{n_rows, n_rows, false, false, {}};
    pass.attention.n_pairs = n_rows * n_rows / 2;
    pass.attention.wide = {n_rows / 16, n_rows / 16 * 4, n_rows * 16, 4};
    pass.attention.n_parts = n_rows;
    workload.packs.push_back(pass);
    workload.n_first_rows.push_back(n_rows / 8);
  }
  return workload;
}

}  // namespace

TEST_CASE("A large product takes its operations over what a card reaches", "[unit]") {
  Setting setting;
  setting.options.dtype = DType::BFloat16;
  const Item item = time_of_product(setting.of("h200"), 8448, 8448, 8192);
  const double ideal = 2.0 * 8448 * 8448 * 8192 / (989e12 * kProductShare);
  CHECK(item.seconds > ideal);
  CHECK(item.seconds < 1.1 * ideal);
  CHECK(item.bound == Bound::Arithmetic);
}

TEST_CASE("A product of few rows takes as long as its weight is read", "[unit]") {
  Setting setting;
  setting.options.dtype = DType::BFloat16;
  const Item item = time_of_product(setting.of("a40"), 16, 28672, 4096);
  const double ideal = 2.0 * 28672 * 4096 / (0.696e12 * kBandwidthShare);
  CHECK(item.bound == Bound::Memory);
  CHECK(item.seconds > ideal);
  CHECK(item.seconds < 1.1 * ideal);
}

TEST_CASE("Weights in 4 bits are unpacked once for all rows of a pack", "[unit]") {
  Setting setting;
  setting.options.dtype = DType::BFloat16;
  const auto seconds_of_unpacking = [&](std::int64_t n_rows) {
    Ledger ledger;
    add_card_time(setting.of("a40", Quantization::Fp4), of_packs({n_rows}), ledger);
    for (const CostLine& line : ledger.lines()) {
      if (line.work == "unpacking") return line.seconds;
    }
    return 0.0;
  };
  // Each of the layers' 6.98 billion weights is read as half a byte and its share of an absmax, and
  // written as two bytes.
  const double ideal = 6.98e9 * (0.5625 + 2) / (0.696e12 * kBandwidthShare);
  CHECK(seconds_of_unpacking(256) > ideal);
  CHECK(seconds_of_unpacking(256) < 1.02 * ideal);
  CHECK(seconds_of_unpacking(4096) == seconds_of_unpacking(256));
  CHECK(time_of_unpacking(setting.of("a40"), 4096, 4096).seconds == 0);
}

TEST_CASE("More work never takes less time, nor a faster card more", "[unit]") {
  Setting setting;
  setting.options.dtype = GENERATE(DType::BFloat16, DType::Float32);
  setting.options.is_fast = GENERATE(false, true);
  // Whole products: one of fewer rows is filled up, which takes two kernels more.
  const std::array<Workload, 5> workloads = {of_packs({256}), of_packs({512}), of_packs({1024}),
                                             of_packs({4096}), of_packs({4096, 4096})};
  for (const Card& card : cards()) {
    CAPTURE(card.name);
    for (std::size_t i = 1; i < workloads.size(); ++i) {
      CHECK(seconds_of(setting.of(card.name), workloads[i]) >=
            seconds_of(setting.of(card.name), workloads[i - 1]));
    }
  }
  for (const Workload& workload : workloads) {
    CHECK(seconds_of(setting.of("h200"), workload) <= seconds_of(setting.of("h100"), workload));
    CHECK(seconds_of(setting.of("h100"), workload) < seconds_of(setting.of("a100-80gb"), workload));
  }
}

TEST_CASE("Products have as many rows as make their bits equal, unless they may be fast",
          "[unit]") {
  Setting setting;
  setting.options.dtype = DType::BFloat16;
  Ledger few;
  add_card_time(setting.of("h200"), of_packs({16}), few);
  Ledger many;
  add_card_time(setting.of("h200"), of_packs({256}), many);
  CHECK(few.lines().front().work == "products");
  CHECK(few.lines().front().flop == many.lines().front().flop);
  setting.options.is_fast = true;
  Ledger fast;
  add_card_time(setting.of("h200"), of_packs({16}), fast);
  CHECK(fast.lines().front().flop == few.lines().front().flop / 16);
}

TEST_CASE("A recorded step spares launches and time", "[unit]") {
  Setting setting;
  setting.options.dtype = DType::BFloat16;
  Workload queued;
  queued.steps.push_back({4, 4, false, false, {}});
  Workload recorded;
  recorded.steps.push_back({4, 4, true, false, {}});
  Ledger by_launches;
  add_card_time(setting.of("h200"), queued, by_launches);
  Ledger by_graph;
  add_card_time(setting.of("h200"), recorded, by_graph);
  CHECK(by_graph.seconds(Phase::Answers) < by_launches.seconds(Phase::Answers));
  for (const CostLine& line : by_graph.lines()) CHECK(line.n_launches == 0);
}

TEST_CASE("An unknown card is refused with the nearest", "[unit]") {
  CHECK_THROWS_WITH(find_card("h20"), ContainsSubstring("unknown card 'h20'; did you mean") &&
                                          ContainsSubstring("a100-80gb"));
}

}  // namespace labelprobe::model::cost
