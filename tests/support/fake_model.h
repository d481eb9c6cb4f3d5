// A LanguageModel that says what a test tells it to: for the rooms above `model`. No torch, no
// files.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "labelprobe/model/language_model.h"

namespace labelprobe::support {

// Logits [vocab_size] of the step after `generated`, for a prompt. Greedy choice, watched and top
// tokens, stop rule, penalty and failures are then those of a real model.
using LogitsScript = std::function<std::vector<float>(std::span<const TokenId> prompt,
                                                      std::span<const TokenId> generated)>;

class FakeModel : public model::LanguageModel {
 public:
  FakeModel(int vocab_size, LogitsScript script) : script_(std::move(script)) {
    info_.architecture = "FakeModel";
    info_.vocab_size = vocab_size;
    info_.max_context = 100'000;
    info_.device = "none";
    info_.fingerprint = "fake";
    info_.backend = "a script";
  }

  // Answers each prompt with the tokens listed for it, then repeats the last; logit 5 for the
  // scripted token and -id / vocab_size for the others. A prompt that is not listed is a failure.
  static FakeModel answering(int vocab_size, std::map<TokenIds, TokenIds> answers) {
    FakeModel fake(vocab_size, {});
    fake.answers_ = std::move(answers);
    fake.script_ = [vocab_size](std::span<const TokenId>, std::span<const TokenId>) {
      std::vector<float> logits(vocab_size);
      for (int id = 0; id < vocab_size; ++id) {
        logits[id] = -static_cast<float>(id) / static_cast<float>(vocab_size);
      }
      return logits;
    };
    return fake;
  }

  model::ModelInfo& editable_info() { return info_; }
  std::vector<TokenIds> prompts_seen;
  // The call after this many batches throws, as a crash in the middle would.
  int batches_until_crash = -1;

  void generate(std::span<const TokenIds> prompts,
                const model::GenerateOptions& options,
                const model::GenerationSink& sink) override {
    const std::size_t n = options.batch_size > 0 ? options.batch_size : prompts.size();
    for (std::size_t first = 0; first < prompts.size(); first += n) {
      if (batches_until_crash == 0) throw std::runtime_error("the fake model was told to crash");
      if (batches_until_crash > 0) --batches_until_crash;
      std::vector<std::pair<std::size_t, model::Generation>> batch;
      for (std::size_t i = first; i < std::min(first + n, prompts.size()); ++i) {
        if (!options.is_answered.empty() && options.is_answered.at(i)) continue;
        batch.emplace_back(i, run(prompts[i], limit_of(options, i), options));
      }
      sink(batch);
    }
  }

  // Prompts one after the other, places one after the other.
  void explore(std::span<const TokenIds> prompts,
               const model::ExploreOptions& options,
               model::Explorer& explorer) override {
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      if (!options.is_answered.empty() && options.is_answered.at(i)) continue;
      prompts_seen.push_back(prompts[i]);
      effort_.n_prompt_tokens += static_cast<std::int64_t>(prompts[i].size());
      effort_.n_prompt_tokens_computed += static_cast<std::int64_t>(prompts[i].size());
      const model::Reach& reach = options.reach.at(options.reach.size() == 1 ? 0 : i);
      if (static_cast<int>(prompts[i].size()) + reach.depth > info_.max_context) {
        explorer.finish(i, "the prompt does not fit the fake model's context");
        continue;
      }
      explore_prompt(prompts[i], i, reach, options, explorer);
    }
  }

  const model::ModelInfo& info() const override { return info_; }
  model::Effort effort() const override { return effort_; }

 private:
  class Places : public model::Frontier {
   public:
    Places(const TokenIds& prompt, const model::Reach& reach)
        : texts({{prompt, {}}}), reach_(reach) {}
    int add(int parent, TokenId token) override {
      Text text = texts.at(std::max(0, parent));
      if (parent < 0) text.prompt.resize(text.prompt.size() - static_cast<std::size_t>(-parent));
      if (text.prompt.empty()) throw std::logic_error("nothing is left of the prompt");
      text.added.push_back(token);
      const std::size_t n_tokens = text.prompt.size() + text.added.size();
      if (static_cast<int>(n_tokens - texts[0].prompt.size()) > reach_.depth)
        throw std::logic_error("too deep");
      if (static_cast<int>(texts.size()) > reach_.n_places)
        throw std::logic_error("too many places");
      texts.push_back(std::move(text));
      return static_cast<int>(texts.size()) - 1;
    }
    // There is nothing inside a fake.
    int add(int parent, TokenId token, const model::Look&) override { return add(parent, token); }
    struct Text {
      TokenIds prompt;  // or what is left of it
      TokenIds added;
    };
    std::vector<Text> texts;  // by place

   private:
    model::Reach reach_;
  };

  void explore_prompt(const TokenIds& prompt,
                      std::size_t i,
                      const model::Reach& reach,
                      const model::ExploreOptions& options,
                      model::Explorer& explorer) {
    explorer.begin(i);
    if (options.greedy) {
      explorer.answer(i, run(prompt, limit_of(*options.greedy, i), *options.greedy));
    }
    if (options.reads_prompts) {
      std::vector<model::PromptToken> tokens;
      for (std::size_t t = 1; t < prompt.size(); ++t) {
        const std::vector<float> logits = script_(std::span(prompt).first(t), {});
        tokens.push_back({logits.at(prompt[t]), step_of(logits, {}, 0).log_sum_exp});
      }
      explorer.read_prompt(i, tokens);
    }
    Places places(prompt, reach);
    for (std::size_t next = 0; next < places.texts.size();) {
      for (; next < places.texts.size(); ++next) {
        const auto& [text, added] = places.texts[next];
        const std::vector<float> logits = script_(text, added);
        const model::Step step =
            step_of(logits, options.observe.watched, options.observe.n_top_tokens);
        model::Place place;
        place.prompt = i;
        place.id = static_cast<int>(next);
        place.step = &step;
        if (options.observe.shows_logits) place.logits = logits;
        explorer.reach(place);
      }
      explorer.grow(i, places);
    }
    effort_.n_places += static_cast<std::int64_t>(places.texts.size()) - 1;
    explorer.finish(i, std::nullopt);
  }

  static std::vector<TokenId> by_logit(const std::vector<float>& logits) {
    std::vector<TokenId> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](TokenId a, TokenId b) { return logits[a] > logits[b]; });
    return order;
  }

  static model::Step step_of(const std::vector<float>& logits,
                             const TokenIds& watched,
                             int n_top_tokens) {
    const std::vector<TokenId> order = by_logit(logits);
    model::Step step;
    for (const TokenId id : watched) step.watched_logits.push_back(logits.at(id));
    for (int i = 0; i < n_top_tokens && i < static_cast<int>(order.size()); ++i) {
      step.top_tokens.push_back({order[i], logits[order[i]]});
    }
    double total = 0;
    for (const float logit : logits) total += std::exp(double{logit} - logits[order.front()]);
    step.log_sum_exp = static_cast<float>(logits[order.front()] + std::log(total));
    double entropy = 0;
    for (const float logit : logits) {
      const double log_prob = double{logit} - logits[order.front()] - std::log(total);
      entropy -= std::exp(log_prob) * log_prob;
    }
    step.entropy = static_cast<float>(entropy);
    return step;
  }

  static int limit_of(const model::GenerateOptions& options, std::size_t prompt) {
    const int n_most = options.stop.max_new_tokens;
    if (options.n_new_tokens.empty()) return n_most;
    const int n = options.n_new_tokens.at(prompt);
    if (n < 1 || n > n_most) throw std::logic_error("n_new_tokens is out of range");
    return n;
  }

  model::Generation run(const TokenIds& prompt,
                        int n_new_tokens,
                        const model::GenerateOptions& options) {
    prompts_seen.push_back(prompt);
    model::Generation result;
    const auto answer = answers_.find(prompt);
    if (!answers_.empty() && answer == answers_.end()) {
      result.failure = "the fake model has no answer to this prompt";
      return result;
    }
    if (static_cast<int>(prompt.size()) + n_new_tokens - 1 > info_.max_context) {
      result.failure = "the prompt does not fit the fake model's context";
      return result;
    }
    effort_.n_prompt_tokens += static_cast<std::int64_t>(prompt.size());
    effort_.n_prompt_tokens_computed += static_cast<std::int64_t>(prompt.size());
    for (bool goes_on = true; goes_on;) {
      std::vector<float> logits = script_(prompt, result.token_ids);
      if (answer != answers_.end()) {
        const std::size_t t = std::min(result.token_ids.size(), answer->second.size() - 1);
        logits.at(answer->second.at(t)) = 5.0f;
      }
      penalize(logits, prompt, result.token_ids, options.rules.repetition_penalty);
      goes_on = take(result, logits, n_new_tokens, options);
    }
    effort_.n_generated_tokens += static_cast<std::int64_t>(result.token_ids.size());
    return result;
  }

  static void penalize(std::vector<float>& logits,
                       TokenIds seen,
                       const TokenIds& generated,
                       double penalty) {
    seen.insert(seen.end(), generated.begin(), generated.end());
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    for (const TokenId id : seen) {
      float& logit = logits.at(id);
      logit = static_cast<float>(logit < 0 ? logit * penalty : logit / penalty);
    }
  }

  // Returns whether the answer goes on.
  static bool take(model::Generation& result,
                   const std::vector<float>& logits,
                   int n_new_tokens,
                   const model::GenerateOptions& options) {
    const TokenId best = by_logit(logits).front();
    model::Step step = step_of(logits, options.watched, options.n_top_tokens);
    result.token_ids.push_back(best);
    result.steps.push_back(std::move(step));
    if (options.keep_logits) {
      result.logits.insert(result.logits.end(), logits.begin(), logits.end());
    }
    const model::StopRule& stop = options.stop;
    const bool is_end =
        std::find(stop.end_ids.begin(), stop.end_ids.end(), best) != stop.end_ids.end();
    return !is_end && static_cast<int>(result.token_ids.size()) < n_new_tokens &&
           !(stop.is_complete && stop.is_complete(result.token_ids));
  }

  model::ModelInfo info_;
  model::Effort effort_;
  LogitsScript script_;
  std::map<TokenIds, TokenIds> answers_;
};

}  // namespace labelprobe::support
