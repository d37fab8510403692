const axios = require("axios");

let API_KEY = "votre-apikey";

let SITE_ID = "votre-site-id";

let URL = "https://api-checkout.cinetpay.com/v2/payment";

let CONFIG = {
    headers: {'Content-Type': 'application/json'}
}

let payment = {
    "amount": 100,
    "apikey": API_KEY,
    "site_id": SITE_ID,
    "currency": "XOF",
    "transaction_id": "id-de-paiement-unique",
    "description": "TRANSACTION DESCRIPTION",
    "return_url": "https://www.exemple.com/return",
    "notify_url": "https://www.exemple.com/notify",
    "customer_name": "Dje Bi",
    "customer_surname": "Jean-Marc"    
}

axios.post(URL,payment,CONFIG)
    .then(function(api_response){

        let response = api_response.data;

        console.log(response);

    })
    .catch(function(error){

        console.log(error.message);

    });
