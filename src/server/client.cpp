#include "server/client.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "labelprobe/core/error.h"
#include "labelprobe/core/utf8.h"

namespace labelprobe::server {

namespace {

constexpr std::size_t kShownBytes = 300;  // of what a server says of its error
constexpr double kMostWaits = 60;         // the longest wait, in first waits
constexpr long kTooMany = 429;

// Statuses after which the same request may be answered.
bool may_pass_later(long status) {
  constexpr std::array kStatuses = {408L, 425L, kTooMany, 500L, 502L, 503L, 504L, 529L};
  return std::find(kStatuses.begin(), kStatuses.end(), status) != kStatuses.end();
}

bool is_denial(long status) {
  return status == 401 || status == 403 || status == 404 || status == 405;
}

// Servers say what is wrong in "error" or "error.message" or "detail", or in any text.
std::string said_in(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  std::string said = body;
  if (json.is_object()) {
    for (const char* path : {"/error/message", "/error", "/message", "/detail"}) {
      const nlohmann::json::json_pointer pointer(path);
      if (json.contains(pointer)) {
        const nlohmann::json& value = json[pointer];
        said = value.is_string()
                   ? value.get<std::string>()
                   : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        break;
      }
    }
  }
  std::replace_if(
      said.begin(), said.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  if (said.size() > kShownBytes) said = said.substr(0, kShownBytes) + "...";
  return utf8_lossy(said);
}

}  // namespace

Client::Client(const Options& options, const std::string& key, Gate& gate)
    : options_(options),
      key_(key),
      gate_(gate),
      connection_(key, options.timeout_seconds, gate.is_closed()) {}

files::JsonView Client::get(const std::string& address) {
  return ask(address, nullptr);
}

files::JsonView Client::post(const std::string& address, const nlohmann::json& body) {
  const std::string json = body.dump();
  return ask(address, &json);
}

files::JsonView Client::ask(const std::string& address, const std::string* json) {
  std::string reason;
  for (int attempt = 1;; ++attempt) {
    if (!gate_.pass()) throw NoAnswer(NoAnswer::Kind::Unreachable, "given up");
    try {
      const HttpReply reply = json ? connection_.post(address, *json) : connection_.get(address);
      if (reply.status == 200) {
        try {
          return files::parse_json(reply.body, {.name = address, .error = ErrorKind::Model});
        } catch (const ModelError& error) {
          throw NoAnswer(NoAnswer::Kind::Malformed, without_key(error.what()));
        }
      }
      if (!may_pass_later(reply.status)) refuse(address, reply);
      reason = fmt::format("{}: status {}: {}", address, reply.status, said_in(reply.body));
      if (attempt < options_.n_attempts) wait_before(attempt, &reply);
    } catch (const ConnectionError& error) {
      reason = error.what();
      if (attempt < options_.n_attempts) wait_before(attempt, nullptr);
    }
    if (attempt >= options_.n_attempts) {
      throw NoAnswer(NoAnswer::Kind::Unreachable,
                     without_key(fmt::format("{} (attempt {})", reason, attempt)));
    }
  }
}

// Between half of and the whole of a time that doubles, so that threads do not come back together.
void Client::wait_before(int attempt, const HttpReply* reply) {
  const double longest = options_.first_wait_seconds *
                         std::min(kMostWaits, std::exp2(static_cast<double>(attempt - 1)));
  std::uniform_real_distribution<double> share(0.5, 1.0);
  double seconds = longest * share(jitter_);
  if (reply && reply->retry_after_seconds) {
    seconds = std::max(seconds, *reply->retry_after_seconds);
    if (reply->status == kTooMany) gate_.hold(*reply->retry_after_seconds);
  }
  gate_.sleep(seconds);
}

void Client::refuse(const std::string& address, const HttpReply& reply) const {
  std::string next;
  if (reply.status == 401 || reply.status == 403) {
    next = key_.empty() ? "; give the key in OPENAI_API_KEY or in .env" : "; the key is not taken";
  } else if (reply.status >= 300 && reply.status < 400) {
    next = "; name the address that it leads to";
  }
  throw NoAnswer(is_denial(reply.status) || reply.status < 400 ? NoAnswer::Kind::Denied
                                                               : NoAnswer::Kind::Refused,
                 without_key(fmt::format("{}: status {}: {}{}", address, reply.status,
                                         said_in(reply.body), next)));
}

std::string Client::without_key(std::string text) const {
  if (key_.empty()) return text;
  for (std::size_t at = text.find(key_); at != std::string::npos; at = text.find(key_, at)) {
    text.replace(at, key_.size(), "[key]");
  }
  return text;
}

}  // namespace labelprobe::server
