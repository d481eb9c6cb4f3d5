#include "experiment/served/served_bounds.h"

#include <cmath>
#include <random>

#include "experiment/served/served_answer.h"
#include "support/catch.h"

using labelprobe::experiment::bounds_of;
using labelprobe::experiment::kUnseenLogprob;
using labelprobe::record::ItemRecord;
using labelprobe::record::LabelStep;
using labelprobe::record::ReadoutValues;

namespace model = labelprobe::model;

namespace {

// What a server shows of a vocabulary whose first tokens are the labels: its likeliest ones.
ReadoutValues bounds_of_shown(const std::vector<double>& probs, std::size_t n_labels, int n_shown) {
  std::vector<int> order(probs.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  std::sort(order.begin(), order.end(), [&](int a, int b) {
    return probs[static_cast<std::size_t>(a)] > probs[static_cast<std::size_t>(b)];
  });
  model::Generation generation;
  model::Step& step = generation.steps.emplace_back();
  LabelStep label_step;
  label_step.index = 0;
  for (std::size_t i = 0; i < n_labels; ++i) {
    label_step.logits.emplace_back("l" + std::to_string(i), kUnseenLogprob);
  }
  for (int i = 0; i < n_shown; ++i) {
    const int token = order[static_cast<std::size_t>(i)];
    const auto logprob = static_cast<float>(std::log(probs[static_cast<std::size_t>(token)]));
    step.top_tokens.push_back({token, logprob});
    if (static_cast<std::size_t>(token) < n_labels) {
      label_step.logits[static_cast<std::size_t>(token)].second = logprob;
    }
  }
  ItemRecord item;
  item.label_steps = {label_step};
  return bounds_of(generation, nullptr, item).at(0);
}

}  // namespace

TEST_CASE("Labels that are all shown have no doubt about them", "[experiment]") {
  const ReadoutValues values = bounds_of_shown({0.5, 0.25, 0.125, 0.125}, 2, 3);
  CHECK(values.name == "top_logprobs");
  CHECK(values.params == "3 tokens");
  CHECK(values.probs[0].second == Approx(2.0 / 3));
  CHECK(values.lower[0].second == Approx(2.0 / 3));
  CHECK(values.upper[0].second == Approx(2.0 / 3));
  CHECK(*values.label_mass == Approx(0.75));
  CHECK(*values.unexplored == Approx(0.125));
}

TEST_CASE("A label that is not shown is at most as likely as what is left", "[experiment]") {
  const ReadoutValues values = bounds_of_shown({0.6, 0.05, 0.35}, 2, 2);
  CHECK(values.probs[1].second == 0.0F);
  CHECK(values.lower[1].second == 0.0F);
  CHECK(values.upper[1].second == Approx(0.05 / 0.65));
  CHECK(values.lower[0].second == Approx(0.6 / 0.65));
  CHECK(values.upper[0].second == Approx(1.0));
}

TEST_CASE("Where no label is shown, each may be all there is", "[experiment]") {
  const ReadoutValues values = bounds_of_shown({0.01, 0.02, 0.97}, 2, 1);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(values.probs[i].second == 0.5F);
    CHECK(values.lower[i].second == 0.0F);
    CHECK(values.upper[i].second == 1.0F);
  }
}

TEST_CASE("What a whole vocabulary says lies between the bounds of its likeliest tokens",
          "[experiment]") {
  std::mt19937 random(7);
  std::exponential_distribution<double> draw;
  for (int round = 0; round < 200; ++round) {
    std::vector<double> probs(12);
    double sum = 0;
    for (double& prob : probs) sum += prob = std::pow(draw(random), 3);
    for (double& prob : probs) prob /= sum;
    const std::size_t n_labels = 4;
    double mass = 0;
    for (std::size_t i = 0; i < n_labels; ++i) mass += probs[i];
    const ReadoutValues values = bounds_of_shown(probs, n_labels, 1 + round % 11);
    for (std::size_t i = 0; i < n_labels; ++i) {
      CHECK(values.lower[i].second <= probs[i] / mass + 1e-5);
      CHECK(values.upper[i].second >= probs[i] / mass - 1e-5);
      CHECK(values.lower[i].second <= values.probs[i].second + 1e-6);
      CHECK(values.probs[i].second <= values.upper[i].second + 1e-6);
    }
  }
}
