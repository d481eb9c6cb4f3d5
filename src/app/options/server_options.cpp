#include "app/options/server_options.h"

#include <charconv>
#include <memory>

#include <fmt/format.h>

#include "labelprobe/core/enum_names.h"
#include "labelprobe/core/error.h"
#include "labelprobe/server/open.h"

namespace labelprobe::app {

namespace {

using experiment::ServerLoading;

constexpr auto kEndpoints = enum_names<bool>("endpoint", {{false, "completions"}, {true, "chat"}});

// "0.15,0.6"
std::pair<double, double> parse_prices(const std::string& text) {
  const auto fail = [&] {
    throw ConfigError(fmt::format(
        "expected two prices of a million tokens, of prompts and of answers, like 0.15,0.6; found "
        "'{}'",
        text));
  };
  std::pair<double, double> prices;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, prices.first);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ',') fail();
  const auto second = std::from_chars(first.ptr + 1, end, prices.second);
  if (second.ec != std::errc() || second.ptr != end) fail();
  if (!(prices.first >= 0) || !(prices.second >= 0)) fail();
  return prices;
}

void declare_asking(OptionList& options, ServerLoading& served) {
  options.add(served.options.served_model,
              {.name = "served_model",
               .help = "The model's name at the server whose address is --model-name-or-path, e.g. "
                       "http://localhost:8000/v1 (default: the only one there); a key is taken "
                       "from OPENAI_API_KEY or the file .env",
               .shown = Shown::First,
               .value = "NAME"});
  options.add_parsed(served.options.asks_chat,
                     {.name = "endpoint",
                      .help = "Where a prompt's text is sent: completions, or chat as one message "
                              "of a user (default: completions; chats go to chat)",
                      .choices = kEndpoints.names()},
                     [](const std::string& name) { return kEndpoints.parse(name); });
  options.add_boolean(served.sends_instruction,
                      {.name = "use_system_prompt",
                       .help = "Send the instruction as a system message too, as the published "
                               "programs do; it stays at the head of the prompt"});
  options.add(served.n_top,
              {.name = "top_logprobs",
               .help = "How many of the likeliest tokens a server is asked for at each step; label "
                       "probabilities are bounded by what is not among them (default: 20, of "
                       "OpenAI's completions 5)",
               .value = "N",
               .least = 1});
}

void declare_pace(OptionList& options, ServerLoading& served) {
  options.add(served.options.max_concurrent, {.name = "max_concurrent",
                                              .help = "Requests under way at a time",
                                              .fallback = "4",
                                              .least = 1,
                                              .is_logged = false});
  options.add(served.options.requests_per_minute,
              {.name = "requests_per_minute",
               .help = "Requests sent in a minute at most; 0 = no limit",
               .fallback = "0",
               .is_logged = false});
  options.add(served.options.timeout_seconds,
              {.name = "request_timeout",
               .help = "Seconds that a server has for one answer; then it is asked again",
               .fallback = "120",
               .value = "SECONDS",
               .is_logged = false});
  options.add(served.options.n_attempts,
              {.name = "attempts",
               .help = "How often a question is sent at most, where the server is overloaded, cuts "
                       "the connection or takes too long",
               .fallback = "6",
               .least = 1,
               .is_logged = false});
  options.add(served.options.first_wait_seconds,
              {.name = "retry_wait",
               .help = "Seconds before the second attempt; doubled each time, up to 60 times as "
                       "long, unless the server asks for more",
               .fallback = "1",
               .value = "SECONDS",
               .is_logged = false});
  options.add(served.keeps_failed,
              {.name = "keep_failed",
               .help = "Finish the log without answers to questions that failed; else the same "
                       "command asks them again",
               .is_logged = false});
  options.add_parsed(
      served.prices,
      {.name = "token_prices",
       .help = "What a million tokens of prompts and of answers cost, e.g. 0.15,0.6; "
               "for --dry-run and tokens.yml",
       .value = "PROMPT,ANSWER",
       .is_logged = false},
      parse_prices);
}

void check_pace(const OptionList& options, const ServerLoading& served) {
  for (const double* number : {&served.options.requests_per_minute, &served.options.timeout_seconds,
                               &served.options.first_wait_seconds}) {
    if (!(*number >= 0)) {
      throw ConfigError(fmt::format("{}: expected a number of at least 0, found {}",
                                    options.place(*number), *number));
    }
  }
  if (served.options.timeout_seconds <= 0) {
    throw ConfigError(fmt::format("{}: request_timeout: expected seconds above 0, found {}",
                                  options.place(served.options.timeout_seconds),
                                  served.options.timeout_seconds));
  }
}

// Options that say how a model in files is loaded, computed or looked into.
void refuse_of_files(const OptionList& options, const RunSettings& run) {
  const auto refuse = [&](const auto& field) {
    if (options.is_given(field)) {
      throw ConfigError(
          fmt::format("{}: {} is for a model in files, and {} is a server's address; leave it out",
                      options.place(field), options.at(field).info.name, run.model.name));
    }
  };
  const model::OpenOptions& loading = run.model.options;
  const experiment::InsideSettings& inside = run.experiment.inside;
  refuse(loading.dtype);
  refuse(loading.device);
  refuse(loading.n_threads);
  refuse(loading.quantization);
  refuse(loading.weights);
  refuse(loading.adapter);
  refuse(loading.allows_tf32);
  refuse(loading.is_fast);
  refuse(run.model.packed_copy);
  refuse(run.model.splitting);
  refuse(run.experiment.batch_size);
  refuse(run.experiment.share_prefixes);
  refuse(run.experiment.drafts_answers);
  refuse(run.experiment.readouts.names);
  refuse(inside.hidden_layers);
  refuse(inside.logs_attention);
  refuse(inside.keeps_head_attention);
  refuse(run.profile);
  const bool is_quantized = loading.quantization != weights::Quantization::None;
  if (is_quantized || inside.is_asked_for()) {
    throw ConfigError(fmt::format(
        "{} for a model in files, and {} is a server's address",
        is_quantized ? "load_in_4bit and load_in_8bit are" : "linear_probing is", run.model.name));
  }
  if (!run.experiment.plan->lists_labels && !run.experiment.plan->answer_words) {
    throw ConfigError(fmt::format(
        "{}: a server is asked for labels or for answer words; answers of {} are not read there",
        run.model.name, run.experiment.plan->name));
  }
}

void refuse_of_servers(const OptionList& options, const ServerLoading& served) {
  const auto refuse = [&](const auto& field) {
    if (options.is_given(field)) {
      throw ConfigError(
          fmt::format("{}: {} is for a server, whose address --model-name-or-path names, such as "
                      "http://localhost:8000/v1",
                      options.place(field), options.at(field).info.name));
    }
  };
  refuse(served.options.served_model);
  refuse(served.options.asks_chat);
  refuse(served.sends_instruction);
  refuse(served.n_top);
  refuse(served.options.max_concurrent);
  refuse(served.options.requests_per_minute);
  refuse(served.options.timeout_seconds);
  refuse(served.options.n_attempts);
  refuse(served.options.first_wait_seconds);
  refuse(served.keeps_failed);
  refuse(served.prices);
}

}  // namespace

void declare_server(OptionList& options, RunSettings& run) {
  const auto served = std::make_shared<ServerLoading>();
  options.begin_group("Servers");
  declare_asking(options, *served);
  declare_pace(options, *served);
  options.afterwards([&options, &run, served] {
    if (!server::is_address(run.model.name)) {
      refuse_of_servers(options, *served);
      return;
    }
    refuse_of_files(options, run);
    check_pace(options, *served);
    const bool is_chat = run.experiment.mode == prompt::PromptMode::Chat;
    if (is_chat && options.is_given(served->options.asks_chat) && !served->options.asks_chat) {
      throw ConfigError(fmt::format("{}: chats are sent to the endpoint chat; leave it out",
                                    options.place(served->options.asks_chat)));
    }
    if (served->sends_instruction && !is_chat && !served->options.asks_chat) {
      throw ConfigError(
          fmt::format("{}: use_system_prompt: system messages are of chats; give --endpoint chat",
                      options.place(served->sends_instruction)));
    }
    served->options.address = run.model.name;
    run.model.served = *served;
  });
}

}  // namespace labelprobe::app
