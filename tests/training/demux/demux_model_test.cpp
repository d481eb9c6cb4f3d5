// Demux against a re-statement with transformers and torch.
#include "training/demux/demux_model.h"

#include <cmath>
#include <fstream>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "labelprobe/core/error.h"
#include "labelprobe/training/schedule.h"

#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::training {
namespace {

using nlohmann::json;

json read_fixture() {
  std::ifstream file(support::fixture("training/demux.json"));
  return json::parse(file);
}

std::unique_ptr<const tokenizer::Tokenizer> load_words() {
  return tokenizer::load(support::fixture("tokenizer/words/vocab.txt"));
}

LabelSet labels_of(const json& known) {
  return {known.at("labels").get<std::vector<std::string>>(),
          known.at("targets")[0].is_array() ? LabelKind::MultiLabel : LabelKind::SingleLabel};
}

at::Tensor targets_of(const json& known) {
  if (!known.at("targets")[0].is_array()) {
    return at::tensor(known.at("targets").get<std::vector<std::int64_t>>());
  }
  std::vector<at::Tensor> rows;
  for (const json& row : known.at("targets"))
    rows.push_back(at::tensor(row.get<std::vector<float>>()));
  return at::stack(rows);
}

// What the re-statement computes on, made by our own means.
struct Setting {
  DemuxModel model{support::fixture("model/sentence/bert"), 0, at::kCPU};
  PairMaker pairs;
  PairedTexts texts;
  PairBatch batch;
  at::Tensor targets;
  double intra_loss_coef;

  explicit Setting(const json& known)
      : targets(targets_of(known)), intra_loss_coef(known.at("intra_loss_coef").get<double>()) {
    const auto tokenizer = load_words();
    pairs = make_pairs(*tokenizer, labels_of(known), known.at("max_length").get<int>());
    texts = pair_texts(pairs, *tokenizer, known.at("texts").get<std::vector<std::string>>());
    batch = make_batch(pairs, texts, std::vector{0, 1, 2, 3}, at::kCPU);
    auto values = model.values();
    for (const auto& [name, numbers] : known.at("head").items()) {
      values[name] = at::tensor(numbers.get<std::vector<float>>()).view(values.at(name).sizes());
    }
    model.set_values(values);
  }

  at::Tensor loss() const {
    return demux_loss(model.logits(batch, pairs.positions, nullptr), targets, intra_loss_coef);
  }
};

void check_sample(const at::Tensor& tensor, const json& known, double tolerance) {
  const at::Tensor flat = tensor.detach().reshape({-1}).to(at::kDouble);
  CHECK(std::abs(flat.norm().item<double>() - known.at("norm").get<double>()) < tolerance);
  const auto expected = known.at("values").get<std::vector<double>>();
  const std::int64_t step = std::max<std::int64_t>(1, flat.numel() / 48);
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double found = flat[static_cast<std::int64_t>(i) * step].item<double>();
    worst = std::max(worst, std::abs(found - expected[i]));
  }
  CHECK(worst < tolerance);
}

}  // namespace

TEST_CASE("Pairs and label places are those of transformers", "[training][demux]") {
  const json fixture = read_fixture();
  for (const char* kind : {"multilabel", "single"}) {
    const json& known = fixture.at(kind);
    const Setting setting(known);
    CHECK(setting.pairs.positions ==
          known.at("positions").get<std::vector<std::vector<std::int64_t>>>());
    CHECK(setting.texts.n_cut > 0);
    const auto ids = known.at("ids").get<std::vector<std::vector<std::int64_t>>>();
    const std::int64_t n = setting.batch.ids.size(1);
    for (std::int64_t i = 0; i < 4; ++i) {
      const std::vector<std::int64_t>& row = ids[static_cast<std::size_t>(i)];
      CHECK(at::equal(setting.batch.ids[i], at::tensor(row).slice(0, 0, n)));
    }
  }
}

TEST_CASE("Logits, loss and the gradient of every parameter are those of transformers",
          "[training][demux]") {
  const json fixture = read_fixture();
  for (const char* kind : {"multilabel", "single"}) {
    INFO(kind);
    const json& known = fixture.at(kind);
    const Setting setting(known);
    const at::Tensor logits =
        setting.model.logits(setting.batch, setting.pairs.positions, nullptr).detach();
    for (std::int64_t i = 0; i < 4; ++i) {
      const at::Tensor row =
          at::tensor(known.at("logits")[static_cast<std::size_t>(i)].get<std::vector<float>>());
      CHECK((logits[i] - row).abs().max().item<double>() < 1e-5);
    }
    const at::Tensor loss = setting.loss();
    CHECK(loss.item<double>() == Approx(known.at("loss").get<double>()).epsilon(1e-5));
    loss.backward();
    CHECK(known.at("gradients").size() == setting.model.parameters().size());
    for (const auto& [name, tensor] : setting.model.parameters()) {
      INFO(name);
      REQUIRE(tensor.grad().defined());
      check_sample(tensor.grad(), known.at("gradients").at(name), 1e-4);
    }
  }
}

TEST_CASE("Ten steps of the optimizer are those of torch", "[training][demux]") {
  const json fixture = read_fixture();
  for (const char* kind : {"multilabel", "single"}) {
    INFO(kind);
    const json& known = fixture.at(kind);
    const Setting setting(known);
    AdamW optimizer(setting.model.parameters(), {});
    for (int step = 0; step < 10; ++step) {
      optimizer.zero_gradients();
      const at::Tensor loss = setting.loss();
      CHECK(loss.item<double>() ==
            Approx(known.at("losses")[static_cast<std::size_t>(step)].get<double>()).epsilon(1e-4));
      loss.backward();
      optimizer.step(1e-3 * schedule_factor(Schedule::Linear, step, 1, 10));
    }
    for (const auto& [name, tensor] : setting.model.parameters()) {
      INFO(name);
      // Where the gradient is 0 but for rounding (a key's bias moves all products alike), the
      // optimizer makes steps of full length of the rounding.
      if (known.at("gradients").at(name).at("norm").get<double>() < 1e-5) continue;
      check_sample(tensor, known.at("trained").at(name), 1e-4);
    }
  }
}

TEST_CASE("Dropout is seeded and keeps the mean", "[training][demux]") {
  const at::Tensor x = at::ones({100, 100});
  const at::Tensor first = Dropout(0.1, 7, at::kCPU)(x);
  CHECK(at::equal(first, Dropout(0.1, 7, at::kCPU)(x)));
  CHECK_FALSE(at::equal(first, Dropout(0.1, 8, at::kCPU)(x)));
  CHECK(first.mean().item<double>() == Approx(1.0).margin(0.02));
  CHECK((first == 0).to(at::kFloat).mean().item<double>() == Approx(0.1).margin(0.02));
}

TEST_CASE("Labels that leave no room and tokenizers that cannot pair are refused",
          "[training][demux]") {
  const auto tokenizer = load_words();
  const LabelSet labels({"joy", "fear"}, LabelKind::MultiLabel);
  CHECK_THROWS_WITH(make_pairs(*tokenizer, labels, 4),
                    ContainsSubstring("--max-length: expected ") &&
                        ContainsSubstring("or more, for the names of 2 labels take"));
  const support::TempFolder folder;
  std::ofstream(folder.path() / "vocab.txt") << "[UNK]\n[CLS]\n[SEP]\njoy\nfear\n,\n";
  CHECK_THROWS_WITH(make_pairs(*tokenizer::load(folder.path()), labels, 40),
                    ContainsSubstring("expected a token for padding"));
  CHECK_THROWS_WITH(
      make_pairs(*tokenizer::load(support::fixture("tokenizer/words/tokenizer.json")), labels, 40),
      ContainsSubstring("joins two texts as BERT does"));
}

}  // namespace labelprobe::training
