-- The drachtio admin protocol for Wireshark: frames over TCP, tokens by name, the SIP in them by Wireshark's own dissector.
-- Made by `msgtrace dissector`; put it into the folder of personal plugins, or: wireshark -X lua_script:drachtio.lua
-- A connection is recognised by its first frame; "Decode As" and the preference of ports work as well.

local drachtio = Proto("drachtio", "drachtio admin protocol")
local NAMES = {
@@names@@
}
local fields, all = {}, {}
local function field(name, title)
  fields[name] = ProtoField.string("drachtio." .. name:gsub("-", "_"), title)
  all[#all + 1] = fields[name]
end
for _, name in ipairs({@@fields@@}) do field(name, name) end
fields.length_of_frame = ProtoField.uint32("drachtio.frame_length", "length of the frame")
fields.kind = ProtoField.string("drachtio.kind", "kind")
fields.token = ProtoField.string("drachtio.token", "token")
fields.destination = ProtoField.string("drachtio.destination", "destination")
for _, name in ipairs({"length_of_frame", "kind", "token", "destination"}) do all[#all + 1] = fields[name] end
drachtio.fields = all

local refused = ProtoExpert.new("drachtio.refused", "The server refused", expert.group.RESPONSE_CODE, expert.severity.WARN)
local no_length = ProtoExpert.new("drachtio.no_length", "Expected digits and '#'", expert.group.MALFORMED, expert.severity.ERROR)
local wrong_length = ProtoExpert.new("drachtio.wrong_length", "Behind the frame stands no other frame: its length is wrong, or counts no octets", expert.group.MALFORMED, expert.severity.ERROR)
local unknown = ProtoExpert.new("drachtio.unknown", "A message that nobody sends", expert.group.PROTOCOL, expert.severity.WARN)
drachtio.experts = {refused, no_length, wrong_length, unknown}
drachtio.prefs.ports = Pref.range("TCP ports", "9022", "Ports of servers", 65535)

local MOST = 16 * 1024 * 1024

local function split(text)
  local tokens = {}
  for token in (text .. "|"):gmatch("([^|]*)|") do tokens[#tokens + 1] = token end
  return tokens
end

local function is_response(content) return content:match("^[\r\n]*SIP/") ~= nil end

local function kind_of(tokens, content)
  local verb = tokens[2] or ""
  if verb == "response" then
    local kinds = {OK = "ok", NO = "no", NOK = "nok"}
    return kinds[tokens[4] or ""] or "unknown"
  elseif verb == "sip" then
    if #tokens > 8 and (tokens[3] == "network" or tokens[3] == "application") then
      if tokens[3] == "application" then return "unsolicited" end
      return is_response(content) and "network-response" or "network-request"
    end
    if is_response(content) then return "send-response" end
    if (tokens[4] or "") ~= "" then return "send-in-dialog" end
    if (tokens[3] or "") ~= "" and content:match("^CANCEL ") then return "send-cancel" end
    return "send-request"
  elseif verb:match("^cdr:") then
    return "cdr"
  elseif NAMES[verb] then
    return verb
  end
  return "unknown"
end

local function names_of(kind, tokens)
  if kind == "ok" then
    local first = tokens[5] or ""
    if first == "application" or first == "network" then
      return {"id", "type", "request-id", "outcome", "source", "length", "transport", "address", "port", "time", "transaction-id", "dialog-id", "reserved", "text", "end"}
    elseif first:find("/", 1, true) then
      return {"id", "type", "request-id", "outcome", "hostports", "version", "local-hostports"}
    end
    return {"id", "type", "request-id", "outcome", "text"}
  elseif kind == "cdr" then
    return {"id", "type", "source", "time", tokens[2] == "cdr:stop" and "reason" or "role"}
  elseif kind == "network-request" and #tokens <= 11 then
    return NAMES["network-response"]
  end
  return NAMES[kind] or {"id", "type"}
end

-- One frame: its payload begins at start and is size octets long.
local function frame(tvb, pinfo, tree, begins, start, size)
  local branch = tree:add(drachtio, tvb(begins, start + size - begins))
  branch:add(fields.length_of_frame, tvb(begins, start - begins - 1), size)
  local payload = tvb:raw(start, size)
  local line_end = payload:find("\r\n", 1, true)
  local meta = line_end and payload:sub(1, line_end - 1) or payload
  local content = line_end and payload:sub(line_end + 2) or ""
  local tokens = split(meta)
  local kind = kind_of(tokens, content)
  local names = names_of(kind, tokens)
  branch:add(fields.kind, tvb(start, #meta), kind):set_generated()
  local place = start
  for index, token in ipairs(tokens) do
    local name = names[index]
    local range = #token > 0 and tvb(place, #token) or tvb(place, 0)
    local shown = token
    if name == "secret" then shown = "***" end
    if name and fields[name] then
      if token ~= "" then branch:add(fields[name], range, shown) end
    elseif kind == "proxy" then
      branch:add(fields.destination, range, shown)
    elseif token ~= "" then
      branch:add(fields.token, range, shown)
    end
    place = place + #token + 1
  end
  local start_line = content:match("^[\r\n]*([^\r\n]*)") or ""
  local told = kind
  if start_line ~= "" then told = told .. " " .. start_line
  elseif kind == "nok" or kind == "no" then told = told .. " " .. (tokens[5] or "")
  elseif kind == "route" or kind == "remove_route" then told = told .. " " .. (tokens[3] or "") end
  branch:append_text(", " .. told)
  if kind == "nok" or kind == "no" then branch:add_proto_expert_info(refused, "Refused: " .. (tokens[5] or "")) end
  if kind == "unknown" then branch:add_proto_expert_info(unknown) end
  if start_line:match("SIP/2%.0") and #content > 0 then
    local sip = tvb(start + line_end + 1, #content)
    if start_line:match("^SIP/2%.0 %d%d%d") or start_line:match("^%u+ %S+ SIP/2%.0$") then
      local columns = tostring(pinfo.cols.info)
      Dissector.get("sip"):call(sip:tvb(), pinfo, branch)
      pinfo.cols.info = columns
    end
  end
  return told
end

function drachtio.dissector(tvb, pinfo, tree)
  local place, told = 0, {}
  pinfo.cols.protocol = "drachtio"
  while place < tvb:len() do
    local left = tvb:raw(place, math.min(tvb:len() - place, 12))
    local digits = left:match("^(%d+)#")
    if not digits then
      if left:match("^%d*$") and #left < 11 then
        pinfo.desegment_offset = place
        pinfo.desegment_len = DESEGMENT_ONE_MORE_SEGMENT
        break
      end
      local blank = tvb:raw(place, tvb:len() - place):match("^[\r\n \t]+")
      if blank then
        place = place + #blank
      else
        tree:add(drachtio, tvb(place)):add_proto_expert_info(no_length)
        break
      end
    else
      local size, start = tonumber(digits), place + #digits + 1
      if size > MOST then
        tree:add(drachtio, tvb(place)):add_proto_expert_info(wrong_length)
        break
      end
      if start + size > tvb:len() then
        pinfo.desegment_offset = place
        pinfo.desegment_len = start + size - tvb:len()
        break
      end
      told[#told + 1] = frame(tvb, pinfo, tree, place, start, size)
      local behind = start + size
      if behind < tvb:len() and not tvb:raw(behind, 1):match("[%d\r\n \t]") then
        tree:add(drachtio, tvb(behind)):add_proto_expert_info(wrong_length)
        break
      end
      place = behind
    end
  end
  if #told > 0 then
    pinfo.cols.protocol = "drachtio"
    pinfo.cols.info = table.concat(told, "; ")
  end
  return tvb:len()
end

local function heuristic(tvb, pinfo, tree)
  local head = tvb:raw(0, math.min(tvb:len(), 200))
  if not head:match("^%d+#[^|#\r\n]+|[a-z_:]+") then return false end
  pinfo.conversation = drachtio
  drachtio.dissector(tvb, pinfo, tree)
  return true
end

drachtio:register_heuristic("tcp", heuristic)
local ports = DissectorTable.get("tcp.port")
local registered = drachtio.prefs.ports
ports:add(registered, drachtio)
function drachtio.prefs_changed()
  if registered ~= drachtio.prefs.ports then
    ports:remove(registered, drachtio)
    registered = drachtio.prefs.ports
    ports:add(registered, drachtio)
  end
end
